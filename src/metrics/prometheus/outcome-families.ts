/**
 * What the reference broker does not tell: how every message ended and why, and how long peers waited.
 *
 * All of it counts the messages of people, so all of it is rounded like upstream's counters, and none of it has a
 * country. Every combination that can occur is there from the start, at 0: a rate sees a counter's first events only
 * if the counter was there before them.
 */

import type { Registry } from "prom-client";

import { RENDEZVOUS_METHODS } from "../../broker/broker.ts";
import { POLICY_ACTS } from "../../broker/events.ts";
import type { MessageRoute, RefusalReason } from "../../frontend/refusals.ts";
import { PROXY_TYPES } from "../../messages/proxy-type.ts";
import { type CountedFamilies, NAMESPACE } from "./counted-families.ts";
import { RoundedHistogram } from "./rounded-histogram.ts";
import { OFFER_STATUS, POLL_STATUS } from "./upstream-families.ts";

/** Which messages can be refused for what. */
const ROUTES_OF_REASON: Readonly<Record<RefusalReason, readonly MessageRoute[]>> = {
  version: ["client", "proxy", "answer"],
  json: ["client", "proxy", "answer"],
  "session-id": ["proxy", "answer"],
  "relay-pattern": ["proxy"],
  "no-description": ["client", "answer"],
  description: ["client", "answer"],
  fingerprint: ["client"],
  "nat-type": ["client", "proxy"],
  candidate: ["answer"],
  "too-long": ["client", "proxy", "answer"],
  broken: ["client", "proxy", "answer"],
};

/** Upper bounds in seconds. A poll waits 10 s, or up to 28 s in a scarce pool. */
const POLL_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25];

/** Upper bounds in seconds. A client waits 5 s at most; most answers are there after a round trip and a bit. */
const OFFER_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5];

/** The tables and histograms, every count at 0. */
export function outcomeFamilies(families: CountedFamilies, registry: Registry) {
  const polls = families.roundedCounter(
    "proxy_poll_outcomes_total",
    "The number of proxy polls by how they ended",
    ["outcome", "type"],
  );
  for (const outcome of Object.keys(POLL_STATUS)) {
    for (const type of PROXY_TYPES) polls.add({ outcome, type }, 0);
  }

  const offers = families.roundedCounter(
    "client_poll_outcomes_total",
    "The number of client polls by how they ended",
    ["outcome", "rendezvous_method"],
  );
  for (const outcome of Object.keys(OFFER_STATUS)) {
    for (const method of RENDEZVOUS_METHODS) offers.add({ outcome, rendezvous_method: method }, 0);
  }

  const answers = families.roundedCounter(
    "proxy_answer_outcomes_total",
    "The number of proxy answers by how they ended",
    ["outcome"],
  );
  for (const outcome of ["delivered", "client-gone"]) answers.add({ outcome }, 0);

  const refused = families.roundedCounter(
    "refused_messages_total",
    "The number of messages that were refused, by what they claimed to be and what was wrong",
    ["reason", "route"],
  );
  for (const [reason, routes] of Object.entries(ROUTES_OF_REASON)) {
    for (const route of routes) refused.add({ reason, route }, 0);
  }

  const policyActs = families.roundedCounter(
    "policy_acts_total",
    "The number of times that the matching policy did what the reference's does not",
    ["act"],
  );
  for (const act of POLICY_ACTS) policyActs.add({ act }, 0);

  const registers = [registry];
  const pollToOffer = new RoundedHistogram({
    name: `${NAMESPACE}rounded_poll_to_offer_seconds`,
    help: "How long matched proxies had waited for their client, counts rounded up to a multiple of 8",
    labelNames: ["pool"],
    buckets: POLL_BUCKETS,
    registers,
  });
  const offerToAnswer = new RoundedHistogram({
    name: `${NAMESPACE}rounded_offer_to_answer_seconds`,
    help: "How long answered clients had waited for their answer, counts rounded up to a multiple of 8",
    buckets: OFFER_BUCKETS,
    registers,
  });

  return {
    polls,
    offers,
    answers,
    refused,
    policyActs,
    pollToOffer: {
      open: pollToOffer.child({ pool: "open" }),
      moderate: pollToOffer.child({ pool: "moderate" }),
      strict: pollToOffer.child({ pool: "strict" }),
    },
    offerToAnswer: offerToAnswer.child({}),
  };
}
