/**
 * What is kept of a window on disk, so that no day is lost: one JSON object. There is no address in it, nor anything
 * made from one; but the counts are exact, not rounded, so it is nobody's business but the broker's.
 */

import { RENDEZVOUS_METHODS, type RendezvousMethod } from "../../broker/broker.ts";
import { NAT_TYPES, type NatType } from "../../messages/nat-type.ts";
import {
  type CountryCounts,
  type DailyCounts,
  REPORTED_TYPES,
  type ReportedType,
} from "./daily-counts.ts";

/** Of the format. A file of another version is foreign. */
const VERSION = 1;

/** The most reports that wait for being written: as many days as an operator may be away. */
export const MAX_WAITING_REPORTS = 31;

export interface DailyState {
  /** When the window began, by the wall clock of `savedAt`: as long before it as the window had lasted by then. */
  readonly startedAt: Date;
  readonly savedAt: Date;
  /** Reports of earlier windows that are not in the log yet, or only just; oldest first. */
  readonly reports: readonly string[];
  readonly counts: DailyCounts;
}

/** A state as JSON has it. */
interface StoredState {
  readonly version: typeof VERSION;
  readonly startedAt: string;
  readonly savedAt: string;
  readonly reports: readonly string[];
  readonly proxiesByCountry: StoredCountries;
  readonly proxiesByType: Readonly<Record<ReportedType, number>>;
  readonly proxiesByNat: Readonly<Record<NatType, number>>;
  readonly polls: Readonly<Record<(typeof POLLS)[number], number>>;
  readonly clientsDeniedByNat: Readonly<Record<NatType, number>>;
  readonly clientsMatched: number;
  readonly clientsTimedOut: number;
  readonly clientsByCountry: Readonly<Record<RendezvousMethod, StoredCountries>>;
}

type StoredCountries = readonly (readonly [country: string, count: number])[];

const MEMBERS = [
  "version",
  "startedAt",
  "savedAt",
  "reports",
  "proxiesByCountry",
  "proxiesByType",
  "proxiesByNat",
  "polls",
  "clientsDeniedByNat",
  "clientsMatched",
  "clientsTimedOut",
  "clientsByCountry",
] as const;

const POLLS = ["idle", "withPattern", "withoutPattern", "patternRejected"] as const;

export function encodeDailyState({ startedAt, savedAt, reports, counts }: DailyState): string {
  const { clients } = counts;
  const stored: StoredState = {
    version: VERSION,
    startedAt: startedAt.toISOString(),
    savedAt: savedAt.toISOString(),
    reports,
    proxiesByCountry: storeCountries(counts.proxiesByCountry),
    proxiesByType: counts.proxiesByType,
    proxiesByNat: counts.proxiesByNat,
    polls: counts.polls,
    clientsDeniedByNat: clients.deniedByNat,
    clientsMatched: clients.matched,
    clientsTimedOut: clients.timedOut,
    clientsByCountry: {
      http: storeCountries(clients.byCountry.http),
      ampcache: storeCountries(clients.byCountry.ampcache),
      sqs: storeCountries(clients.byCountry.sqs),
    },
  };
  return `${JSON.stringify(stored)}\n`;
}

/** Undefined for anything but a whole state of this version: a part of one, another version, unknown members. */
export function decodeDailyState(text: string): DailyState | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isStoredState(stored)) return undefined;
  const { http, ampcache, sqs } = stored.clientsByCountry;
  return {
    startedAt: new Date(stored.startedAt),
    savedAt: new Date(stored.savedAt),
    reports: stored.reports,
    counts: {
      proxiesByCountry: new Map(stored.proxiesByCountry),
      proxiesByType: stored.proxiesByType,
      proxiesByNat: stored.proxiesByNat,
      polls: stored.polls,
      clients: {
        deniedByNat: stored.clientsDeniedByNat,
        matched: stored.clientsMatched,
        timedOut: stored.clientsTimedOut,
        byCountry: { http: new Map(http), ampcache: new Map(ampcache), sqs: new Map(sqs) },
      },
    },
  };
}

/** Sorted, so that nothing can be told about the order of arrival. */
function storeCountries(countries: CountryCounts): StoredCountries {
  return [...countries].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function isStoredState(value: unknown): value is StoredState {
  return (
    hasMembers(value, MEMBERS) &&
    value.version === VERSION &&
    isTime(value.startedAt) &&
    isTime(value.savedAt) &&
    value.startedAt <= value.savedAt &&
    Array.isArray(value.reports) &&
    value.reports.length <= MAX_WAITING_REPORTS &&
    value.reports.every((report) => typeof report === "string") &&
    isStoredCountries(value.proxiesByCountry) &&
    areCounts(value.proxiesByType, REPORTED_TYPES) &&
    areCounts(value.proxiesByNat, NAT_TYPES) &&
    areCounts(value.polls, POLLS) &&
    areCounts(value.clientsDeniedByNat, NAT_TYPES) &&
    isCount(value.clientsMatched) &&
    isCount(value.clientsTimedOut) &&
    hasMembers(value.clientsByCountry, RENDEZVOUS_METHODS) &&
    Object.values(value.clientsByCountry).every(isStoredCountries)
  );
}

function isStoredCountries(value: unknown): value is StoredCountries {
  return (
    Array.isArray(value) &&
    value.every(isStoredCountry) &&
    new Set(value.map(([country]) => country)).size === value.length
  );
}

function isStoredCountry(value: unknown): value is StoredCountries[number] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && isCount(value[1])
  );
}

/** An object with one count by each name. */
function areCounts<Name extends string>(
  value: unknown,
  names: readonly Name[],
): value is Record<Name, number> {
  return hasMembers(value, names) && Object.values(value).every(isCount);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** An object with exactly these members. */
function hasMembers<Name extends string>(
  value: unknown,
  names: readonly Name[],
): value is Record<Name, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name))
  );
}

/** A time as a `Date` writes it, so that the order of two is that of their texts. */
function isTime(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const time = Date.parse(value);
  return !Number.isNaN(time) && new Date(time).toISOString() === value;
}
