/** What a broker tells of its work, so that others can count it. */

import type { ProxyType } from "../messages/proxy-type.ts";
import type { Offer, Poll } from "./broker.ts";

/** How a poll ended. `full`: no more proxies may wait; `duplicate`: its session id has a match in flight. */
export type PollEnd =
  | "matched"
  | "idle"
  | "too-soon"
  | "pattern-rejected"
  | "withdrawn"
  | "superseded"
  | "duplicate"
  | "full"
  | "draining";

/** How an offer ended. `abandoned`: the client hung up; `full`: too many clients are waiting for an answer. */
export type OfferEnd =
  "answered" | "denied" | "timed-out" | "abandoned" | "unknown-bridge" | "full";

/**
 * What a matching policy did that the reference's does not. `poll-kept`: a poll waits for longer than 10 s.
 * `client-waits`: an offer waits for a proxy, and `client-served`: it got one. `second-asked`: another proxy was asked
 * because the first is silent, and `second-answered`: it was the one to answer. `proxy-silent`: a proxy did not answer,
 * so its address goes behind its peers. `retry-noticed`: a client came back soon after an answer. `client-stricter`: it
 * is matched as one that can use fewer proxies. `nat-remembered`: a proxy of unknown NAT type counts as it did before.
 * `proxy-passed-over`: a client looked for another proxy, since it could not use this one, or it is in its country.
 * `surplus-shared`: a client that can use several pools looked first in the easiest, which has more than it needs.
 */
export const POLICY_ACTS = [
  "poll-kept",
  "client-waits",
  "client-served",
  "second-asked",
  "second-answered",
  "proxy-silent",
  "retry-noticed",
  "client-stricter",
  "nat-remembered",
  "proxy-passed-over",
  "surplus-shared",
] as const;

export type PolicyAct = (typeof POLICY_ACTS)[number];

/** Told synchronously, in the middle of the hot path: count and return. */
export interface BrokerEvents {
  /** A poll came in. */
  pollReceived(poll: Poll): void;
  /**
   * It passed the relay pattern check, and its address may be counted: `addressKey` tells it from other addresses, and
   * does not tell what it is.
   */
  pollAdmitted(poll: Poll, addressKey: number): void;
  /** It was told its outcome, or its proxy is gone, `elapsed` ms after it came. */
  pollEnded(poll: Poll, end: PollEnd, elapsed: number): void;
  /** An offer was told its outcome, or its client is gone, `elapsed` ms after it came. */
  offerEnded(offer: Offer, end: OfferEnd, elapsed: number): void;
  /** An answer came for a client, with the type of the proxy that was given its offer, or for nobody. */
  answerEnded(delivered: ProxyType | undefined): void;
  /** A matching policy did something. */
  policyActed(act: PolicyAct): void;
}

/** For a broker whose work nobody counts. */
export const NO_EVENTS: BrokerEvents = {
  pollReceived() {},
  pollAdmitted() {},
  pollEnded() {},
  offerEnded() {},
  answerEnded() {},
  policyActed() {},
};
