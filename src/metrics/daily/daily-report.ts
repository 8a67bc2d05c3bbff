/** The daily report: the text that Tor's statistics are made from. */

import type { NatType } from "../../messages/nat-type.ts";
import { type CountryCounts, type DailyCounts, REPORTED_TYPES } from "./daily-counts.ts";

/** Milliseconds that a report covers. */
export const WINDOW = 86_400_000;

/** Counts of polls and clients are rounded up to a multiple of this, so that single people don't show. */
const ROUNDING = 8;

/** The order of the `snowflake-ips-nat-*` lines. */
const NAT_LINES: readonly NatType[] = [
  "restricted",
  "unrestricted",
  "unknown",
  "strict",
  "moderate",
  "open",
];

/**
 * Formats the 33 lines of a report, each with its line feed. Every count of polls and clients is rounded on its own,
 * sums too, so parts need not add up; distinct addresses are not rounded. Lines come in a fixed order.
 */
export function formatDailyReport(counts: DailyCounts, endedAt: Date): string {
  const { polls, clients } = counts;
  const denied = clients.deniedByNat;
  const { http, ampcache, sqs } = clients.byCountry;
  const lines = [
    `snowflake-stats-end ${formatTime(endedAt)} (${WINDOW / 1000} s)`,
    `snowflake-ips ${formatCountries(counts.proxiesByCountry)}`,
    ...REPORTED_TYPES.map((type) => `snowflake-ips-${type} ${counts.proxiesByType[type]}`),
    `snowflake-ips-total ${sum(counts.proxiesByCountry.values())}`,
    `snowflake-idle-count ${roundUp(polls.idle)}`,
    `snowflake-proxy-poll-with-relay-url-count ${roundUp(polls.withPattern)}`,
    `snowflake-proxy-poll-without-relay-url-count ${roundUp(polls.withoutPattern)}`,
    `snowflake-proxy-rejected-for-relay-url-count ${roundUp(polls.patternRejected)}`,
    `client-denied-count ${roundUp(sum(Object.values(denied)))}`,
    `client-restricted-denied-count ${roundUp(denied.restricted)}`,
    `client-unrestricted-denied-count ${roundUp(denied.unrestricted)}`,
    `client-nat-strict-denied-count ${roundUp(denied.strict)}`,
    `client-nat-moderate-denied-count ${roundUp(denied.moderate)}`,
    `client-nat-open-denied-count ${roundUp(denied.open)}`,
    `client-nat-unknown-denied-count ${roundUp(denied.unknown)}`,
    `client-snowflake-match-count ${roundUp(clients.matched)}`,
    `client-snowflake-timeout-count ${roundUp(clients.timedOut)}`,
    `client-http-count ${roundUp(sum(http.values()))}`,
    `client-http-ips ${formatRoundedCountries(http)}`,
    `client-ampcache-count ${roundUp(sum(ampcache.values()))}`,
    `client-ampcache-ips ${formatRoundedCountries(ampcache)}`,
    `client-sqs-count ${roundUp(sum(sqs.values()))}`,
    `client-sqs-ips ${formatRoundedCountries(sqs)}`,
    ...NAT_LINES.map((nat) => `snowflake-ips-nat-${nat} ${counts.proxiesByNat[nat]}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** `YYYY-MM-DD HH:MM:SS`, UTC. */
function formatTime(time: Date): string {
  return time.toISOString().slice(0, 19).replace("T", " ");
}

function formatRoundedCountries(countries: CountryCounts): string {
  return formatCountries(new Map([...countries].map(([cc, count]) => [cc, roundUp(count)])));
}

/** `CC=N,CC=N`: the most frequent first; of equals, by the bytes of the code. */
function formatCountries(countries: CountryCounts): string {
  return [...countries]
    .toSorted(([aCode, a], [bCode, b]) => b - a || Buffer.compare(bytes(aCode), bytes(bCode)))
    .map(([cc, count]) => `${cc}=${count}`)
    .join(",");
}

function bytes(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

function roundUp(count: number): number {
  return Math.ceil(count / ROUNDING) * ROUNDING;
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
