/** What one run of the load generator measured, and its way from that process to the one that started it. */

import { isRecord } from "./messages.ts";
import type { ClientFigures } from "./window.ts";

/** Matches made under a closed loop of clients, within the window. */
export interface MatchingResult extends ClientFigures {
  readonly kind: "matching";
  /** Length of the window in s. */
  readonly seconds: number;
  /** CPU time of the server's whole process tree, in µs, user and system. */
  readonly cpuPerMatch: number;
  /** That of the server's first process alone: the core, if it has http-frontends. */
  readonly firstCpuPerMatch: number;
  /** Resident memory of the tree at the end of the window, and the most it ever was, in KB. */
  readonly residentKb: number;
  readonly peakKb: number;
  /** Polls that ended without a client within the window. */
  readonly idlePolls: number;
  /** How much of one core the generator itself used, 0 to 1. Near 1 it is the generator that is measured. */
  readonly generatorLoad: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** The ways clients come by, named as brokers count them. */
export const METHODS = ["http", "ampcache", "sqs"] as const;

/** Matches of the clients that come by one way, within the window. */
export interface MethodResult extends ClientFigures {
  readonly errors: number;
}

/** Matches made under closed loops of clients that come by every way at once, within the window. */
export interface MixedResult {
  readonly kind: "mixed";
  /** As in `MatchingResult`; matches are those of all methods together. */
  readonly seconds: number;
  readonly matches: number;
  readonly matchesPerSecond: number;
  readonly cpuPerMatch: number;
  readonly residentKb: number;
  readonly peakKb: number;
  readonly idlePolls: number;
  readonly generatorLoad: number;
  readonly methods: Readonly<Record<(typeof METHODS)[number], MethodResult>>;
  /** Those of all methods, and of the proxies. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Memory with proxies waiting, and without. */
export interface IdleResult {
  readonly kind: "idle";
  /** How many polls were waiting when the reading was taken. */
  readonly waiting: number;
  /** Resident memory of the tree before the first connection, with all of them waiting, and at most, in KB. */
  readonly baselineKb: number;
  readonly residentKb: number;
  readonly peakKb: number;
  readonly kbPerProxy: number;
  /** Time until the memory stayed the same, in s. */
  readonly settleSeconds: number;
  /** False if the memory still changed when patience ended; the reading is then the last median. */
  readonly settled: boolean;
  readonly errors: Readonly<Record<string, number>>;
}

/** Polls of proxies that poll now and then, within the window. */
export interface FieldResult {
  readonly kind: "field";
  /** As in `MatchingResult`. */
  readonly seconds: number;
  /** Polls that ended within the window. */
  readonly polls: number;
  /** CPU time of the server's whole process tree, in µs, user and system. */
  readonly cpuPerPoll: number;
  /** Connections that the proxies opened within the window. */
  readonly handshakes: number;
  readonly residentKb: number;
  readonly peakKb: number;
  readonly generatorLoad: number;
  readonly errors: Readonly<Record<string, number>>;
}

export type LoadResult = MatchingResult | MixedResult | IdleResult | FieldResult;

const CLIENT_NUMBERS = [
  "matches",
  "matchesPerSecond",
  "latencyP50",
  "latencyP99",
  "latencyMax",
] as const;

const MIXED_NUMBERS = [
  "seconds",
  "matches",
  "matchesPerSecond",
  "cpuPerMatch",
  "residentKb",
  "peakKb",
  "idlePolls",
  "generatorLoad",
] as const;

const MATCHING_NUMBERS = [...MIXED_NUMBERS, "firstCpuPerMatch", ...CLIENT_NUMBERS] as const;

const IDLE_NUMBERS = [
  "waiting",
  "baselineKb",
  "residentKb",
  "peakKb",
  "kbPerProxy",
  "settleSeconds",
] as const;

const FIELD_NUMBERS = [
  "seconds",
  "polls",
  "cpuPerPoll",
  "handshakes",
  "residentKb",
  "peakKb",
  "generatorLoad",
] as const;

export function formatLoadResult(result: LoadResult): string {
  return JSON.stringify(result);
}

/** Throws if the text is not what `formatLoadResult` made of a run with at least one match or waiting proxy. */
export function parseLoadResult(text: string): LoadResult {
  const value: unknown = JSON.parse(text);
  if (isMatchingResult(value) || isMixedResult(value)) return value;
  if (isIdleResult(value) || isFieldResult(value)) return value;
  throw new Error(`not a load result: ${text}`);
}

function isMatchingResult(value: unknown): value is MatchingResult {
  return isResult(value, "matching") && hasNumbers(value, MATCHING_NUMBERS);
}

function isMixedResult(value: unknown): value is MixedResult {
  if (!isResult(value, "mixed") || !hasNumbers(value, MIXED_NUMBERS)) return false;
  const { methods } = value;
  return isRecord(methods) && METHODS.every((name) => isMethodResult(methods[name]));
}

function isMethodResult(value: unknown): value is MethodResult {
  return isRecord(value) && hasNumbers(value, [...CLIENT_NUMBERS, "errors"]);
}

function isIdleResult(value: unknown): value is IdleResult {
  if (!isResult(value, "idle") || typeof value["settled"] !== "boolean") return false;
  return hasNumbers(value, IDLE_NUMBERS);
}

function isFieldResult(value: unknown): value is FieldResult {
  return isResult(value, "field") && hasNumbers(value, FIELD_NUMBERS);
}

function isResult(value: unknown, kind: string): value is Record<string, unknown> {
  if (!isRecord(value) || value["kind"] !== kind) return false;
  const { errors } = value;
  return isRecord(errors) && Object.values(errors).every(isNumber);
}

function hasNumbers(value: Record<string, unknown>, names: readonly string[]): boolean {
  return names.every((name) => isNumber(value[name]));
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
