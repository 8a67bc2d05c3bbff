/** The spine of the program: what every frontend asks of a broker, wherever that broker is. */

import type { Address } from "../messages/address.ts";
import type { ClientPoll } from "../messages/client-poll.ts";
import type { NatType } from "../messages/nat-type.ts";
import type { ProxyAnswer } from "../messages/proxy-answer.ts";
import type { ProxyPoll } from "../messages/proxy-poll.ts";
import type { ProxyType } from "../messages/proxy-type.ts";
import type { SessionDescription } from "../messages/session-description.ts";

/** The ways in that a client's message can take. The link sends their place in this list. */
export const RENDEZVOUS_METHODS = ["http", "ampcache", "sqs"] as const;

export type RendezvousMethod = (typeof RENDEZVOUS_METHODS)[number];

/** A proxy's poll together with where it came from; undefined if that could not be told. */
export interface Poll extends ProxyPoll {
  readonly address: Address | undefined;
  /**
   * Given only if the poll waited at a broker that is no more and waits again: how many ms ago it came there, from 0 to
   * the proxy deadline. It waits only for what is left, and is neither held to its poll interval nor counted as received
   * a second time.
   */
  readonly waited?: number | undefined;
}

/** A client's offer together with where and how it came in. */
export interface Offer extends ClientPoll {
  readonly address: Address | undefined;
  readonly rendezvous: RendezvousMethod;
}

/** What became of a poll. `nextPoll`: whole milliseconds, never negative, until the proxy may poll again. */
export type PollOutcome =
  | {
      readonly kind: "matched";
      readonly offer: SessionDescription;
      readonly clientNat: NatType;
      readonly relayUrl: string;
      readonly nextPoll: number;
    }
  | { readonly kind: "idle"; readonly nextPoll: number }
  | { readonly kind: "too-soon"; readonly nextPoll: number }
  | { readonly kind: "pattern-rejected"; readonly nextPoll: number };

/** What became of an offer. */
export type OfferOutcome =
  | { readonly kind: "answered"; readonly answer: SessionDescription }
  | { readonly kind: "denied" }
  | { readonly kind: "timed-out" }
  | { readonly kind: "unknown-bridge" };

/** What became of an answer. */
export type AnswerOutcome = { readonly kind: "delivered" } | { readonly kind: "client-gone" };

/** How many sessions there are, waiting or matched, by what their proxies said of themselves. */
export interface SessionCounts {
  readonly total: number;
  readonly byType: Readonly<Record<ProxyType, number>>;
  readonly byNat: Readonly<Record<NatType, number>>;
}

/**
 * Tells when a peer has gone. Every AbortSignal is one; it is not asked for here because to make one costs more than to
 * match a client.
 */
export interface Departure {
  /** Whether the peer has gone. */
  readonly aborted: boolean;
  /** Calls the listener once, when the peer goes; never if it has gone already. */
  addEventListener(type: "abort", listener: () => void): void;
}

/**
 * Matches clients with proxies. Arguments and outcomes are plain data, so that a broker can be elsewhere. No method
 * rejects for anything a peer did, and every promise settles: a poll within the proxy deadline, an offer within the
 * client deadline, an answer at once.
 *
 * `gone` aborts when the peer's connection has closed. The outcome is then of no interest to anybody, but comes.
 */
export interface Broker {
  /** A proxy asks for a client, and waits for one. */
  poll(poll: Poll, gone: Departure): Promise<PollOutcome>;
  /** A client asks for a proxy, and waits for its answer. */
  offer(offer: Offer, gone: Departure): Promise<OfferOutcome>;
  /** A matched proxy answers. Delivered at most once, and only to the client whose offer that poll was given. */
  answer(answer: ProxyAnswer): Promise<AnswerOutcome>;
  /** The sessions of this moment. */
  sessions(): Promise<SessionCounts>;
}
