/** The matchmaker itself. */

import { networkOf } from "../messages/address-network.ts";
import type { ProxyAnswer } from "../messages/proxy-answer.ts";
import { NEXT_POLL_AFTER_PATTERN_REJECTION } from "../messages/proxy-poll.ts";
import type { RelayPattern } from "../messages/relay-pattern.ts";
import type { SessionId } from "../messages/session-id.ts";
import type { BridgeList } from "./bridge-list.ts";
import type {
  AnswerOutcome,
  Broker,
  Departure,
  Offer,
  OfferOutcome,
  Poll,
  PollOutcome,
  SessionCounts,
} from "./broker.ts";
import type { Clock } from "./clock.ts";
import type { BrokerEvents, OfferEnd, PollEnd } from "./events.ts";
import { Match, type MatchState } from "./match.ts";
import { Matches, type WaitingCounts } from "./matches.ts";
import { type MatchingPolicy, REFERENCE_POLICY } from "./policy/matching-policy.ts";
import { POOL_NAMES, type PoolName } from "./policy/nat-classes.ts";
import { PollAllowance } from "./policy/poll-allowance.ts";
import type { PollIntervals } from "./policy/poll-intervals.ts";
import { bridgeHostPolicy, coveringPolicy, type RelayPolicy } from "./policy/relay-policy.ts";

/** What the broker may hold at once, so that no flood can exhaust the machine. */
export interface BrokerLimits {
  readonly waitingProxies: number;
  /** Clients that wait for an answer. */
  readonly clients: number;
  /** Addresses remembered for rate limiting, in each pool. */
  readonly rateLimitEntries: number;
}

/**
 * The length of all offers that clients in flight hold, in UTF-16 units. Real offers have 1,000 to 2,000, so the default
 * of 20,000 clients stays below; of the longest that are legal it is 670, where the number alone would allow for 2 GB.
 */
export const MOST_HELD_CHARACTERS = 64 * 1024 * 1024;

/** Polls that a drain ends in one turn of the event loop. */
const SENT_HOME_AT_ONCE = 250;

/** What a broker is made of. It has no other access to time, randomness or the outside. */
export interface LocalBrokerParts {
  readonly clock: Clock;
  /** Counts what happens. */
  readonly events: BrokerEvents;
  /** The bridges at the start. */
  readonly bridges: BridgeList;
  /** The poll intervals at the start. */
  readonly pollIntervals: PollIntervals;
  /** The value of `--allowed-relay-pattern`; undefined: a proxy's pattern must admit the host of every bridge. */
  readonly allowedRelayPattern: RelayPattern | undefined;
  /** The reference broker's unless something else is said. */
  readonly policy?: MatchingPolicy;
  readonly limits: BrokerLimits;
  /** Bits of an IPv6 address that limits go by, 1 to 128: addresses with the same are held to one poll interval. */
  readonly ipv6Prefix: number;
  /**
   * Turns an address into a whole number of at most 53 bits. Keyed with a secret, so that nobody can choose addresses
   * that collide.
   */
  readonly hashAddress: (address: string) => number;
}

/** The broker of this process. All its state is in memory. */
export class LocalBroker implements Broker {
  readonly #parts: LocalBrokerParts;
  readonly #allowances: Readonly<Record<PoolName, PollAllowance>>;
  readonly #policy: MatchingPolicy;
  readonly #matches: Matches;
  #bridges: BridgeList;
  #relayPolicy: RelayPolicy;
  #draining = false;
  #onDrained: (() => void) | undefined;

  constructor(parts: LocalBrokerParts) {
    this.#parts = parts;
    const allowance = (pool: PoolName) =>
      new PollAllowance(parts.pollIntervals[pool], parts.limits.rateLimitEntries);
    this.#allowances = {
      open: allowance("open"),
      moderate: allowance("moderate"),
      strict: allowance("strict"),
    };
    this.#policy = parts.policy ?? REFERENCE_POLICY;
    this.#matches = new Matches(parts.clock, this.#policy, {
      onIdle: (match) => this.#endPoll(match, "idle"),
      onExpired: (match) => this.#endOffer(match, "expired", "timed-out", { kind: "timed-out" }),
    });
    this.#bridges = parts.bridges;
    this.#relayPolicy = this.#policyFor(parts.bridges);
  }

  poll(poll: Poll, gone: Departure): Promise<PollOutcome> {
    const { clock, events } = this.#parts;
    const now = clock.now();
    const since = now - (poll.waited ?? 0);
    if (poll.waited === undefined) events.pollReceived(poll);
    if (!this.#relayPolicy.accepts(poll.relayPattern)) {
      events.pollEnded(poll, "pattern-rejected", now - since);
      return Promise.resolve({
        kind: "pattern-rejected",
        nextPoll: NEXT_POLL_AFTER_PATTERN_REJECTION,
      });
    }
    const address = poll.address?.reveal() ?? "";
    const addressKey = this.#parts.hashAddress(address);
    events.pollAdmitted(poll, addressKey);
    const network =
      poll.address === undefined ? "" : networkOf(poll.address, this.#parts.ipv6Prefix);
    const key = network === address ? addressKey : this.#parts.hashAddress(network);

    const allowance = this.#allowances[this.#policy.poolOfProxy[poll.nat]];
    const mustWaitUntil = poll.waited === undefined ? allowance.mustWaitUntil(key, now) : undefined;
    if (mustWaitUntil !== undefined) {
      events.pollEnded(poll, "too-soon", 0);
      return Promise.resolve({ kind: "too-soon", nextPoll: untilNextPoll(mustWaitUntil, now) });
    }
    const mayPollAt = allowance.note(key, since);

    const obstacle = this.#obstacle(poll.sid, gone);
    if (obstacle !== undefined) {
      events.pollEnded(poll, obstacle, now - since);
      return Promise.resolve({ kind: "idle", nextPoll: untilNextPoll(mayPollAt, now) });
    }
    const older = this.#matches.find(poll.sid);
    if (older !== undefined) this.#endPoll(older, "superseded");
    const { promise, resolve } = Promise.withResolvers<PollOutcome>();
    const match = new Match(poll, since, mayPollAt, resolve);
    this.#matches.admit(match, now);
    gone.addEventListener("abort", () => {
      if (match.state === "waiting") this.#endPoll(match, "withdrawn");
    });
    return promise;
  }

  /** Why a proxy whose turn it is can't wait all the same. */
  #obstacle(sid: SessionId, gone: Departure): PollEnd | undefined {
    if (this.#draining) return "draining";
    if (gone.aborted) return "withdrawn";
    if (this.#matches.waiting >= this.#parts.limits.waitingProxies) return "full";
    return this.#matches.find(sid)?.state === "offered" ? "duplicate" : undefined;
  }

  offer(offer: Offer, gone: Departure): Promise<OfferOutcome> {
    const { clock, events, limits } = this.#parts;
    const relayUrl = this.#bridges.relayUrl(offer.fingerprint);
    if (relayUrl === undefined) {
      events.offerEnded(offer, "unknown-bridge", 0);
      return Promise.resolve({ kind: "unknown-bridge" });
    }
    if (gone.aborted) {
      events.offerEnded(offer, "abandoned", 0);
      return Promise.resolve({ kind: "timed-out" });
    }
    const held = this.#matches.heldCharacters + offer.offer.length;
    if (this.#matches.offered >= limits.clients || held > MOST_HELD_CHARACTERS) {
      events.offerEnded(offer, "full", 0);
      return Promise.resolve({ kind: "denied" });
    }
    const now = clock.now();
    const match = this.#matches.takeFor(offer.nat, now);
    if (match === undefined) {
      events.offerEnded(offer, "denied", 0);
      return Promise.resolve({ kind: "denied" });
    }
    const { promise, resolve } = Promise.withResolvers<OfferOutcome>();
    this.#matches.hold(match, { offer, since: now, settle: resolve });
    match.settle({
      kind: "matched",
      offer: offer.offer,
      clientNat: offer.nat,
      relayUrl,
      nextPoll: untilNextPoll(match.mayPollAt, now),
    });
    events.pollEnded(match.poll, "matched", now - match.since);
    gone.addEventListener("abort", () => {
      if (match.state !== "offered") return;
      this.#endOffer(match, "abandoned", "abandoned", { kind: "timed-out" });
    });
    return promise;
  }

  answer({ sid, answer }: ProxyAnswer): Promise<AnswerOutcome> {
    const match = this.#matches.find(sid);
    if (match?.state !== "offered") {
      this.#parts.events.answerEnded(undefined);
      return Promise.resolve({ kind: "client-gone" });
    }
    this.#endOffer(match, "answered", "answered", { kind: "answered", answer });
    this.#parts.events.answerEnded(match.poll.type);
    return Promise.resolve({ kind: "delivered" });
  }

  sessions(): Promise<SessionCounts> {
    return Promise.resolve(this.#matches.counts());
  }

  /** How many proxies wait for a client, and how many clients for an answer. */
  get load(): { readonly waitingProxies: number; readonly clients: number } {
    return { waitingProxies: this.#matches.waiting, clients: this.#matches.offered };
  }

  /** How many proxies wait, by pool and type. Walks them all. */
  waitingByPoolAndType(): WaitingCounts {
    return this.#matches.waitingByPoolAndType();
  }

  /** From now on the offers of clients go to these bridges; matches in flight keep theirs. */
  replaceBridges(bridges: BridgeList): void {
    this.#bridges = bridges;
    this.#relayPolicy = this.#policyFor(bridges);
  }

  /** The poll intervals in force. */
  get pollIntervals(): PollIntervals {
    const { open, moderate, strict } = this.#allowances;
    return { open: open.interval, moderate: moderate.interval, strict: strict.interval };
  }

  /** From now on polls are noted with these intervals; addresses already noted keep their deadlines. */
  replacePollIntervals(intervals: PollIntervals): void {
    for (const pool of POOL_NAMES) this.#allowances[pool].interval = intervals[pool];
  }

  /**
   * Sends every waiting proxy home and lets none wait any more. Resolves when the last client in flight has its answer
   * or its timeout: within the client deadline.
   */
  drain(): Promise<void> {
    this.#draining = true;
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#sendHome();
    });
  }

  /** Ends polls that wait, some at a time, so that nobody else is kept waiting. */
  #sendHome(): void {
    for (let left = SENT_HOME_AT_ONCE; left > 0; left--) {
      const match = this.#matches.anyWaiting;
      if (match === undefined) break;
      this.#endPoll(match, "draining");
    }
    const { clock } = this.#parts;
    if (this.#matches.waiting > 0) clock.callAt(clock.now(), () => this.#sendHome());
    else if (this.#matches.offered === 0) this.#onDrained?.();
  }

  /** Walks all invariants and names those that do not hold: for tests, and for whoever doubts a running broker. */
  consistencyCheck(): string[] {
    return this.#matches.consistencyCheck();
  }

  #policyFor(bridges: BridgeList): RelayPolicy {
    const allowed = this.#parts.allowedRelayPattern;
    return allowed === undefined ? bridgeHostPolicy(bridges.hosts()) : coveringPolicy(allowed);
  }

  /** Ends a waiting poll that gets no client. */
  #endPoll(match: Match, end: "idle" | "draining" | "withdrawn" | "superseded"): void {
    const now = this.#parts.clock.now();
    this.#matches.end(match, end === "draining" ? "idle" : end);
    match.settle({ kind: "idle", nextPoll: untilNextPoll(match.mayPollAt, now) });
    this.#parts.events.pollEnded(match.poll, end, now - match.since);
  }

  /** Ends an offered match and tells its client. */
  #endOffer(match: Match, state: MatchState, end: OfferEnd, outcome: OfferOutcome): void {
    this.#matches.end(match, state);
    if (match.client !== undefined) {
      const elapsed = this.#parts.clock.now() - match.client.since;
      match.client.settle(outcome);
      this.#parts.events.offerEnded(match.client.offer, end, elapsed);
    }
    if (this.#matches.offered + this.#matches.waiting === 0) this.#onDrained?.();
  }
}

/** Whole milliseconds, never negative, from now to when an address may poll again. */
function untilNextPoll(mayPollAt: number, now: number): number {
  return Math.max(0, Math.trunc(mayPollAt - now));
}
