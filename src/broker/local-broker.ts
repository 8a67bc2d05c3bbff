/** The matchmaker itself. */

import { networkOf } from "../messages/address-network.ts";
import type { ProxyAnswer } from "../messages/proxy-answer.ts";
import { NEXT_POLL_AFTER_PATTERN_REJECTION } from "../messages/proxy-poll.ts";
import type { RelayPattern } from "../messages/relay-pattern.ts";
import type { SessionDescription } from "../messages/session-description.ts";
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
import { Client, type ForwardAnswer } from "./client.ts";
import { Clients } from "./clients.ts";
import type { Clock } from "./clock.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { BrokerEvents, OfferEnd, PollEnd } from "./events.ts";
import { Match, type MatchState } from "./match.ts";
import { Matches, type WaitingCounts } from "./matches.ts";
import { assertPolicy, type MatchingPolicy, REFERENCE_POLICY } from "./policy/matching-policy.ts";
import type { PoolName } from "./policy/nat-classes.ts";
import type { PollIntervals } from "./policy/poll-intervals.ts";
import { type CountryOf, Reach } from "./policy/reach.ts";
import { WaitingRoom } from "./policy/waiting-room.ts";
import { PollAdmission } from "./poll-admission.ts";

/** What the broker may hold at once, so that no flood can exhaust the machine. */
export interface BrokerLimits {
  readonly waitingProxies: number;
  /** Clients in flight: those that wait for an answer, and those that wait for a proxy. */
  readonly clients: number;
  /** Addresses remembered for rate limiting, in each pool, and by each part of the policy. */
  readonly rateLimitEntries: number;
}

/**
 * The length of all offers that clients in flight hold, in UTF-16 units. Real offers have 1,000 to 2,000, so the default
 * of 20,000 clients stays below; of the longest that are legal it is 670, where the number alone would allow for 2 GB.
 */
export const MOST_HELD_CHARACTERS = 64 * 1024 * 1024;

/** Polls or clients that a drain ends in one turn of the event loop. */
const SENT_HOME_AT_ONCE = 250;

/** The client of another broker, which asks for a proxy. */
export interface ForeignOffer {
  readonly offer: Offer;
  readonly relayUrl: string;
  /** Where the proxy is to be taken from. */
  readonly pool: PoolName;
  /** It has a proxy, which is silent. */
  readonly isSecond: boolean;
  readonly forward: ForwardAnswer;
}

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
  /** For a policy that avoids matches within a country; without it no country is known. */
  readonly countryOf?: CountryOf;
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
  readonly #policy: MatchingPolicy;
  readonly #reach: Reach;
  readonly #matches: Matches;
  readonly #admission: PollAdmission;
  readonly #clients: Clients;
  readonly #room: WaitingRoom;
  #bridges: BridgeList;
  #elsewhere: Elsewhere | undefined;
  #draining = false;
  #retired = false;
  #onDrained: (() => void) | undefined;

  /** Throws if the times of the policy contradict one another. */
  constructor(parts: LocalBrokerParts) {
    this.#parts = parts;
    const policy = parts.policy ?? REFERENCE_POLICY;
    assertPolicy(policy);
    const { clock, events, limits, countryOf = () => undefined } = parts;
    this.#policy = policy;
    this.#reach = new Reach({
      policy,
      events,
      maxEntries: limits.rateLimitEntries,
      countryOf,
      keyOf: (address) => parts.hashAddress(networkOf(address, parts.ipv6Prefix)),
      intervalOf: (pool) => this.#admission.intervalOf(pool),
    });
    this.#matches = new Matches(clock, policy, {
      keepsWaiting: (match) => this.#reach.keepsWaiting(match, clock.now()),
      onIdle: (match) => this.#endPoll(match, "idle"),
    });
    this.#admission = new PollAdmission({
      ...parts,
      reach: this.#reach,
      pools: this.#matches.pools,
    });
    this.#clients = new Clients(clock, policy, {
      onSilence: (client) => this.#askSecond(client),
      onExpired: (client) => this.#onExpired(client),
    });
    this.#room = new WaitingRoom(clock, policy, (client) => this.#deny(client));
    this.#bridges = parts.bridges;
  }

  /** From now on clients that find no proxy here are sought one elsewhere. */
  join(elsewhere: Elsewhere): void {
    this.#elsewhere = elsewhere;
  }

  poll(poll: Poll, gone: Departure): Promise<PollOutcome> {
    const { clock, events } = this.#parts;
    const now = clock.now();
    const since = now - (poll.waited ?? 0);
    if (poll.waited === undefined) events.pollReceived(poll);
    const admission = this.#admission.admit(poll, since, now);
    if (admission.kind !== "admitted") {
      events.pollEnded(poll, admission.kind, now - since);
      const nextPoll =
        admission.kind === "too-soon"
          ? this.#nextPoll(admission.mayPollAt, now)
          : NEXT_POLL_AFTER_PATTERN_REJECTION;
      return Promise.resolve({ kind: admission.kind, nextPoll });
    }
    const { pool, addressKey, mayPollAt } = admission;

    const obstacle = this.#obstacle(poll, gone);
    if (obstacle !== undefined) {
      events.pollEnded(poll, obstacle, now - since);
      return Promise.resolve({ kind: "idle", nextPoll: this.#nextPoll(mayPollAt, now) });
    }
    const older = this.#matches.find(poll.sid);
    if (older !== undefined) this.#endPoll(older, "superseded");
    const { promise, resolve } = Promise.withResolvers<PollOutcome>();
    const match = new Match(poll, {
      since,
      mayPollAt,
      pool,
      addressKey,
      unreliable: this.#reach.isUnreliable(addressKey, now),
      settle: resolve,
    });
    const client = this.#room.takeFor(pool.name);
    if (client !== undefined) {
      this.#matches.admitOffered(match);
      client.match = match;
      this.#give(match, client, now);
      events.policyActed("client-served");
      return promise;
    }
    this.#matches.admit(match, now);
    this.#elsewhere?.proxyWaits(pool.name);
    gone.addEventListener("abort", () => {
      if (match.state === "waiting") this.#endPoll(match, "withdrawn");
    });
    return promise;
  }

  /** Why a proxy whose turn it is can't wait all the same. */
  #obstacle({ sid, waited }: Poll, gone: Departure): PollEnd | undefined {
    if (this.#draining) return "draining";
    if (gone.aborted) return "withdrawn";
    if (this.#matches.waiting >= this.#parts.limits.waitingProxies) return "full";
    // The broker where it waited may have let it wait for longer than this one does.
    if (waited !== undefined && waited > this.#policy.proxyWait) return "idle";
    return this.#matches.find(sid)?.state === "offered" ? "duplicate" : undefined;
  }

  offer(offer: Offer, gone: Departure): Promise<OfferOutcome> {
    const { clock, events } = this.#parts;
    const relayUrl = this.#bridges.relayUrl(offer.fingerprint);
    if (relayUrl === undefined) {
      events.offerEnded(offer, "unknown-bridge", 0);
      return Promise.resolve({ kind: "unknown-bridge" });
    }
    if (gone.aborted) {
      events.offerEnded(offer, "abandoned", 0);
      return Promise.resolve({ kind: "timed-out" });
    }
    if (!this.#hasRoomFor(offer)) {
      events.offerEnded(offer, "full", 0);
      return Promise.resolve({ kind: "denied" });
    }
    const now = clock.now();
    const { promise, resolve } = Promise.withResolvers<OfferOutcome>();
    const client = new Client(offer, relayUrl, now, resolve);
    this.#reach.offerCame(client, this.#matches.pools);
    const pools = this.#reach.poolsFor(client, this.#matches.pools);
    const match = this.#matches.takeFrom(pools, this.#reach.unsuitableFor(client));
    if (match === undefined && (this.#draining || !this.#awaitProxy(client, pools))) {
      events.offerEnded(offer, "denied", 0);
      return Promise.resolve({ kind: "denied" });
    }
    this.#clients.add(client);
    if (match !== undefined) {
      client.match = match;
      this.#give(match, client, now);
    }
    gone.addEventListener("abort", () => {
      if (client.queue === undefined) return;
      this.#endClient(client, "abandoned", { kind: "timed-out" }, "abandoned");
    });
    return promise;
  }

  #hasRoomFor({ offer }: Offer): boolean {
    const held = this.#clients.heldCharacters + offer.length;
    return this.#clients.size < this.#parts.limits.clients && held <= MOST_HELD_CHARACTERS;
  }

  /** Has a client sought a proxy elsewhere, or lets it wait for one. False: it can't have one. */
  #awaitProxy(client: Client, pools: readonly PoolName[]): boolean {
    if (this.#elsewhere?.seek(client, pools) === true || this.#wait(client)) return true;
    this.#elsewhere?.ended(client);
    return false;
  }

  /** Lets a client wait in the waiting room; false if it is full. */
  #wait(client: Client): boolean {
    if (this.#room.isFull) return false;
    this.#room.add(client);
    if (!client.waited) this.#parts.events.policyActed("client-waits");
    client.waited = true;
    return true;
  }

  answer(answer: ProxyAnswer): Promise<AnswerOutcome> {
    const match = this.#matches.find(answer.sid);
    const client = match?.client;
    if (match === undefined || client === undefined) return this.#answerNobody(answer);
    if (client.forward !== undefined) {
      return this.#answerForeign(match, client, client.forward(answer.answer));
    }
    return this.#answerClient(match, client, answer.answer);
  }

  async #answerNobody(answer: ProxyAnswer): Promise<AnswerOutcome> {
    const outcome = await this.#elsewhere?.answer(answer);
    if (outcome === undefined) this.#parts.events.answerEnded(undefined);
    return outcome ?? { kind: "client-gone" };
  }

  /** The match ends at once, so that the client can't be answered twice. */
  async #answerForeign(
    match: Match,
    client: Client,
    forwarded: Promise<boolean>,
  ): Promise<AnswerOutcome> {
    this.#matches.end(match, "answered");
    this.#endClient(client, "answered", { kind: "timed-out" }, "overtaken");
    const isDelivered = await forwarded;
    if (isDelivered) this.#reach.answered(client, match, this.#parts.clock.now());
    this.#parts.events.answerEnded(isDelivered ? match.poll.type : undefined);
    return { kind: isDelivered ? "delivered" : "client-gone" };
  }

  #answerClient(match: Match, client: Client, answer: SessionDescription): Promise<AnswerOutcome> {
    const now = this.#parts.clock.now();
    if (client.match !== undefined && match === client.second) {
      this.#reach.overtaken(client.match, now);
      this.#parts.events.policyActed("second-answered");
    }
    this.#reach.answered(client, match, now);
    this.#matches.end(match, "answered");
    this.#endClient(client, "answered", { kind: "answered", answer }, "overtaken");
    this.#parts.events.answerEnded(match.poll.type);
    return Promise.resolve({ kind: "delivered" });
  }

  /** Whether an answer with this session id is waited for here. */
  expectsAnswer(sid: SessionId): boolean {
    return this.#matches.find(sid)?.client !== undefined;
  }

  /** How many proxies can be given to the clients of other brokers. */
  proxiesToShare(pool: PoolName): number {
    return this.#draining || this.#retired ? 0 : this.#matches.pools[pool].size;
  }

  /**
   * Gives the client of another broker to a proxy, and returns how many are left in that pool. Undefined: there is no
   * proxy for it. It keeps its proxy for the time of a client's deadline, even if it gets another answer.
   */
  serveForeign({ offer, relayUrl, pool, isSecond, forward }: ForeignOffer): number | undefined {
    const now = this.#parts.clock.now();
    const waiting = this.#matches.pools[pool];
    if (!isSecond) waiting.demand.offerCame(now);
    else if (!this.#reach.hasToSpare(waiting, now)) return undefined;
    if (this.proxiesToShare(pool) === 0 || !this.#hasRoomFor(offer)) return undefined;
    const client = new Client(offer, relayUrl, now, () => undefined);
    client.forward = forward;
    const match = this.#matches.takeFrom([pool], this.#reach.unsuitableFor(client));
    if (match === undefined) return undefined;
    this.#clients.add(client);
    client.match = match;
    this.#give(match, client, now);
    return waiting.size;
  }

  /** Another broker is asked for a proxy for a client of ours: it gets none here until the reply has come. */
  askedElsewhere(client: Client): void {
    client.elsewhere = "asked";
    this.#room.remove(client);
  }

  /** The client that another broker was asked for has a proxy there. `isSecond`: it has another one, which is silent. */
  givenElsewhere(client: Client, isSecond: boolean): void {
    if (isSecond) this.#parts.events.policyActed("second-asked");
    else client.elsewhere = "given";
  }

  /** No other broker has a proxy for a client of ours. One may have come here meanwhile, or comes while it waits. */
  nobodyElsewhere(client: Client): void {
    client.elsewhere = undefined;
    const pools = this.#policy.poolsForClient[client.nat];
    const match = this.#matches.takeFrom(pools, this.#reach.unsuitableFor(client));
    if (match !== undefined) {
      client.match = match;
      client.waited = true;
      this.#give(match, client, this.#parts.clock.now());
    } else if (this.#draining || !this.#wait(client)) this.#deny(client);
  }

  /** A proxy of another broker answers a client of ours. False: the client has its outcome already. */
  answeredElsewhere(client: Client, answer: SessionDescription): boolean {
    if (client.queue === undefined) return false;
    if (client.match !== undefined) {
      this.#reach.overtaken(client.match, this.#parts.clock.now());
      this.#parts.events.policyActed("second-answered");
    }
    this.#endClient(client, "answered", { kind: "answered", answer }, "overtaken");
    return true;
  }

  sessions(): Promise<SessionCounts> {
    return Promise.resolve(this.#matches.counts());
  }

  /** How many proxies wait for a client, and how many clients are in flight. */
  get load(): { readonly waitingProxies: number; readonly clients: number } {
    return { waitingProxies: this.#matches.waiting, clients: this.#clients.size };
  }

  /** How many of the clients in flight wait for a proxy. */
  get waitingClients(): number {
    return this.#room.size;
  }

  /** How many proxies wait, by pool and type. Walks them all. */
  waitingByPoolAndType(): WaitingCounts {
    return this.#matches.waitingByPoolAndType();
  }

  /** From now on the offers of clients go to these bridges; matches in flight keep theirs. */
  replaceBridges(bridges: BridgeList): void {
    this.#bridges = bridges;
    this.#admission.replaceBridges(bridges);
  }

  /** The poll interval of each pool at this moment: the configured one, or what a policy makes of it. */
  intervalsInForce(): PollIntervals {
    return this.#admission.intervalsInForce(this.#parts.clock.now());
  }

  /** The configured poll intervals. */
  get pollIntervals(): PollIntervals {
    return this.#admission.pollIntervals;
  }

  /** From now on polls are noted with these intervals; addresses already noted keep their deadlines. */
  replacePollIntervals(intervals: PollIntervals): void {
    this.#admission.replacePollIntervals(intervals);
  }

  /** Clients that are left when this broker stops are asked of another: none gets a second proxy here any more. */
  retire(): void {
    this.#retired = true;
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

  /** Ends polls and clients that wait, some at a time, so that nobody else is kept waiting. */
  #sendHome(): void {
    for (let left = SENT_HOME_AT_ONCE; left > 0; left--) {
      const match = this.#matches.anyWaiting;
      const client = this.#room.any;
      if (match !== undefined) this.#endPoll(match, "draining");
      else if (client !== undefined) this.#deny(client);
      else break;
    }
    const { clock } = this.#parts;
    const isSome = this.#matches.waiting + this.#room.size > 0;
    if (isSome) clock.callAt(clock.now(), () => this.#sendHome());
    else if (this.#clients.size === 0) this.#onDrained?.();
  }

  /** Walks all invariants and names those that do not hold: for tests, and for whoever doubts a running broker. */
  consistencyCheck(): string[] {
    const faults = new Set<string>();
    const expect = (invariant: string, holds: boolean) => {
      if (!holds) faults.add(invariant);
    };
    const { pools } = this.#matches;
    this.#matches.check(expect);
    this.#clients.check(expect);
    this.#room.check(expect, (pool) => pools[pool].size === 0);
    return [...faults];
  }

  /** Ends a waiting poll that gets no client. */
  #endPoll(match: Match, end: "idle" | "draining" | "withdrawn" | "superseded"): void {
    const now = this.#parts.clock.now();
    this.#matches.end(match, end === "draining" ? "idle" : end);
    match.settle({ kind: "idle", nextPoll: this.#nextPoll(match.mayPollAt, now) });
    this.#parts.events.pollEnded(match.poll, end, now - match.since);
  }

  /** Tells a proxy of the client that it was given. */
  #give(match: Match, client: Client, now: number): void {
    match.client = client;
    match.settle({
      kind: "matched",
      offer: client.offer.offer,
      clientNat: client.offer.nat,
      relayUrl: client.relayUrl,
      nextPoll: this.#nextPoll(match.mayPollAt, now),
    });
    this.#parts.events.pollEnded(match.poll, "matched", now - match.since);
  }

  /** The proxy of a client is silent: another may answer sooner. A client that had to wait for its proxy gets no other. */
  #askSecond(client: Client): void {
    const { match, elsewhere, nat } = client;
    if (this.#retired || client.waited || client.forward !== undefined) return;
    if (match === undefined && elsewhere !== "given") return;
    const now = this.#parts.clock.now();
    const reachable = this.#policy.poolsForClient[nat];
    const pools = reachable.filter((name) =>
      this.#reach.hasToSpare(this.#matches.pools[name], now),
    );
    const second = this.#matches.takeFrom(pools, this.#reach.unsuitableFor(client));
    if (second === undefined) {
      this.#elsewhere?.seekSecond(client, reachable);
      return;
    }
    if (match === undefined) client.match = second;
    else client.second = second;
    this.#give(second, client, now);
    this.#parts.events.policyActed("second-asked");
  }

  #onExpired(client: Client): void {
    const { match, since } = client;
    if (match !== undefined && match.since <= since) {
      this.#reach.timedOut(match, this.#parts.clock.now());
    }
    this.#endClient(client, "timed-out", { kind: "timed-out" }, "expired");
  }

  /** There was no proxy for a client in time. */
  #deny(client: Client): void {
    this.#endClient(client, "denied", { kind: "denied" }, "abandoned");
  }

  /** Ends a client and tells it its outcome; `state`: what becomes of its matches that have not ended. */
  #endClient(client: Client, end: OfferEnd, outcome: OfferOutcome, state: MatchState): void {
    this.#room.remove(client);
    this.#clients.remove(client);
    if (client.match?.state === "offered") this.#matches.end(client.match, state);
    if (client.second?.state === "offered") this.#matches.end(client.second, state);
    client.settle(outcome);
    if (client.ticket !== 0) this.#elsewhere?.ended(client);
    if (client.forward === undefined) {
      this.#parts.events.offerEnded(client.offer, end, this.#parts.clock.now() - client.since);
    }
    if (this.#clients.size + this.#matches.waiting === 0) this.#onDrained?.();
  }

  /**
   * Whole milliseconds from now to when an address may poll again. The reference cuts off the fraction; without that a
   * proxy that obeys never comes too soon.
   */
  #nextPoll(mayPollAt: number, now: number): number {
    const { leastNextPoll } = this.#policy;
    const whole = Math.trunc(mayPollAt - now);
    return leastNextPoll === 0 ? Math.max(0, whole) : Math.max(leastNextPoll, whole + 1);
  }
}
