/** The eight families of the reference broker: dashboards all over know their names, labels and meanings. */

import type { OfferEnd, PollEnd } from "../../broker/events.ts";
import type { CountedFamilies } from "./counted-families.ts";

/**
 * What a poll counts as. Everything that is told "no match" is idle, and so is a proxy that hung up: the reference
 * broker does not notice, and lets it wait to the end. Polls that came too soon or with a wrong pattern count nowhere.
 */
export const POLL_STATUS: Readonly<Record<PollEnd, "matched" | "idle" | undefined>> = {
  matched: "matched",
  idle: "idle",
  withdrawn: "idle",
  superseded: "idle",
  duplicate: "idle",
  full: "idle",
  draining: "idle",
  "too-soon": undefined,
  "pattern-rejected": undefined,
};

/** What an offer counts as. One for an unknown bridge counts nowhere. */
export const OFFER_STATUS: Readonly<
  Record<OfferEnd, "matched" | "denied" | "timeout" | undefined>
> = {
  answered: "matched",
  denied: "denied",
  full: "denied",
  "timed-out": "timeout",
  abandoned: "timeout",
  "unknown-bridge": undefined,
};

/** The tables, with nothing in them. Names, help texts and label names are a contract. */
export function upstreamFamilies(families: CountedFamilies) {
  return {
    availableProxies: families.gauge(
      "available_proxies",
      "The number of currently available snowflake proxies",
      ["nat", "type"],
    ),
    proxies: families.exactCounter("proxy_total", "The number of unique snowflake IPs", [
      "cc",
      "nat",
      "type",
    ]),
    clientPolls: families.roundedCounter(
      "client_poll_total",
      "The number of snowflake client polls",
      ["cc", "nat", "rendezvous_method", "status"],
    ),
    answers: families.roundedCounter(
      "proxy_answer_total",
      "The number of snowflake proxy answers",
      ["status", "type"],
    ),
    polls: families.roundedCounter("proxy_poll_total", "The number of snowflake proxy polls", [
      "nat",
      "status",
      "type",
    ]),
    pollsRejected: families.roundedCounter(
      "proxy_poll_rejected_relay_url_extension_total",
      "The number of snowflake proxy polls rejected by Relay URL Extension",
      ["nat", "type"],
    ),
    pollsWithPattern: families.roundedCounter(
      "proxy_poll_with_relay_url_extension_total",
      "The number of snowflake proxy polls with Relay URL Extension",
      ["nat", "type"],
    ),
    pollsWithoutPattern: families.roundedCounter(
      "proxy_poll_without_relay_url_extension_total",
      "The number of snowflake proxy polls without Relay URL Extension",
      ["nat", "type"],
    ),
  };
}
