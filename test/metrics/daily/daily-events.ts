/** What can happen in a day, at random, and what a report has to say of it. */

import fc from "fast-check";

import type { RendezvousMethod } from "../../../src/broker/broker.ts";
import { NAT_TYPES, type NatType } from "../../../src/messages/nat-type.ts";
import { PROXY_TYPES, type ProxyType } from "../../../src/messages/proxy-type.ts";
import { type ClientEnd, type DailyCounters } from "../../../src/metrics/daily/daily-counters.ts";

export type DailyEvent =
  | {
      readonly kind: "proxy";
      readonly address: number;
      readonly nat: NatType;
      readonly type: ProxyType;
    }
  | { readonly kind: "poll"; readonly withPattern: boolean }
  | { readonly kind: "rejected" }
  | { readonly kind: "idle" }
  | {
      readonly kind: "client";
      readonly rendezvous: RendezvousMethod;
      readonly end: ClientEnd;
      readonly nat: NatType;
      readonly country: string;
    };

/** As country files have them; the empty one and the unknown one are real. */
const COUNTRIES = ["DE", "AU", "??", "", "A1", "é"];

const nat = fc.constantFrom(...NAT_TYPES);

export const dailyEvent: fc.Arbitrary<DailyEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("proxy"),
      address: fc.nat(40),
      nat,
      type: fc.constantFrom(...PROXY_TYPES),
    }),
  },
  fc.record({ kind: fc.constant("poll"), withPattern: fc.boolean() }),
  fc.record({ kind: fc.constant("rejected") }),
  fc.record({ kind: fc.constant("idle") }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("client"),
      rendezvous: fc.constantFrom("http", "ampcache", "sqs"),
      end: fc.constantFrom("denied", "matched", "timeout"),
      nat,
      country: fc.constantFrom(...COUNTRIES),
    }),
  },
);

/** The country of an address of a proxy. */
export function countryOfAddress(address: number): string {
  return COUNTRIES[address % COUNTRIES.length] ?? "";
}

export function countEvent(counters: DailyCounters, event: DailyEvent): void {
  switch (event.kind) {
    case "proxy":
      counters.proxySeen(
        event.address,
        () => countryOfAddress(event.address),
        event.nat,
        event.type,
      );
      break;
    case "poll":
      counters.pollReceived(event.withPattern);
      break;
    case "rejected":
      counters.patternRejected();
      break;
    case "idle":
      counters.pollIdle();
      break;
    case "client":
      counters.clientEnded(event.rendezvous, event.end, event.nat, event.country);
      break;
  }
}

/** What the report of these events says, but for the time: each number counted on its own. */
export function expectedStats(events: readonly DailyEvent[]): object {
  const proxies = events.filter((event) => event.kind === "proxy");
  const polls = events.filter((event) => event.kind === "poll");
  const clients = events.filter((event) => event.kind === "client");
  const denied = clients.filter((client) => client.end === "denied");
  const came = (way: string) => clients.filter((client) => client.rendezvous === way);

  const addresses = (those: (proxy: (typeof proxies)[number]) => boolean): Set<number> =>
    new Set(proxies.filter(those).map((proxy) => proxy.address));
  const deniedWith = (type: string): number =>
    round(denied.filter((client) => client.nat === type).length);

  return {
    ips: tally([...addresses(() => true)].map(countryOfAddress)),
    ipsByType: record(
      PROXY_TYPES.filter((type) => type !== "unknown"),
      (type) => addresses((proxy) => proxy.type === type).size,
    ),
    ipsTotal: addresses(() => true).size,
    ipsByNat: record(NAT_TYPES, (type) => addresses((proxy) => proxy.nat === type).size),
    idle: round(events.filter((event) => event.kind === "idle").length),
    withRelayUrl: round(polls.filter((poll) => poll.withPattern).length),
    withoutRelayUrl: round(polls.filter((poll) => !poll.withPattern).length),
    rejectedForRelayUrl: round(events.filter((event) => event.kind === "rejected").length),
    denied: round(denied.length),
    deniedByNat: record(NAT_TYPES, deniedWith),
    matched: round(clients.filter((client) => client.end === "matched").length),
    timedOut: round(clients.filter((client) => client.end === "timeout").length),
    clients: record(WAYS, (way) => round(came(way).length)),
    clientIps: record(WAYS, (way) =>
      tally(
        came(way).map((client) => client.country),
        round,
      ),
    ),
  };
}

const WAYS = ["http", "ampcache", "sqs"] as const;

function round(count: number): number {
  return count % 8 === 0 ? count : count + 8 - (count % 8);
}

function tally(texts: readonly string[], shown = (n: number): number => n): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of new Set(texts)) counts[text] = shown(texts.filter((t) => t === text).length);
  return counts;
}

function record<T>(names: readonly string[], of: (name: string) => T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, of(name)]));
}
