/** Where every match is: in a pool, under a deadline, and to be found by its session id. */

import type { ProxyType } from "../messages/proxy-type.ts";
import type { SessionId } from "../messages/session-id.ts";
import type { SessionCounts } from "./broker.ts";
import type { Clock } from "./clock.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import type { Match, MatchState } from "./match.ts";
import type { MatchingPolicy } from "./policy/matching-policy.ts";
import { POOL_NAMES, type PoolName } from "./policy/nat-classes.ts";
import { Pool } from "./pool.ts";

/**
 * A poll that waits again goes home up to this many ms early: those that had waited about equally long share a queue,
 * so that the order of each queue is that of its deadlines.
 */
const WAITED_STEP = 1_000;

/** What to do with a match whose time is up. */
export interface MatchDeadlines {
  /** It has waited as long as in a pool in surplus: whether it waits on, as long as in a scarce one. */
  readonly keepsWaiting: (match: Match) => boolean;
  /** It has to be ended. */
  readonly onIdle: (match: Match) => void;
}

/** How many proxies wait. */
export type WaitingCounts = Readonly<Record<PoolName, Readonly<Record<ProxyType, number>>>>;

export class Matches {
  readonly #policy: MatchingPolicy;
  readonly pools: Readonly<Record<PoolName, Pool<Match>>>;
  /** Every match that is waiting or offered; an id belongs to one of them at most. */
  readonly #bySession = new Map<SessionId, Match>();
  /**
   * The first is for polls that come for the first time, the next for those that had waited for up to a step, and so on.
   * Those from the proxy deadline on are for polls of scarce pools.
   */
  readonly #waiting: readonly DeadlineQueue<Match>[];
  #offered = 0;

  constructor(clock: Clock, policy: MatchingPolicy, { keepsWaiting, onIdle }: MatchDeadlines) {
    const { proxyDeadline, proxyWait, comesBefore } = policy;
    this.#policy = policy;
    this.pools = {
      open: new Pool("open", comesBefore),
      moderate: new Pool("moderate", comesBefore),
      strict: new Pool("strict", comesBefore),
    };
    const onDeadline = (match: Match) => {
      if (keepsWaiting(match)) this.#keep(match);
      else onIdle(match);
    };
    this.#waiting = Array.from({ length: 1 + proxyWait / WAITED_STEP }, (_, steps) => {
      const waited = steps * WAITED_STEP;
      return waited < proxyDeadline && proxyWait > proxyDeadline
        ? new DeadlineQueue(clock, proxyDeadline - waited, onDeadline)
        : new DeadlineQueue(clock, proxyWait - waited, onIdle);
    });
  }

  /** How many proxies wait for a client. */
  get waiting(): number {
    return this.pools.open.size + this.pools.moderate.size + this.pools.strict.size;
  }

  /** How many were given an offer that has no answer yet. */
  get offered(): number {
    return this.#offered;
  }

  /** Any proxy that waits. */
  get anyWaiting(): Match | undefined {
    return this.#waiting.find((queue) => queue.first !== undefined)?.first;
  }

  find(sid: SessionId): Match | undefined {
    return this.#bySession.get(sid);
  }

  /** Lets a proxy wait. Its session id must not be known. */
  admit(match: Match, now: number): void {
    this.#bySession.set(match.poll.sid, match);
    match.pool.add(match);
    this.#enqueue(match, match.poll.waited ?? 0, now);
  }

  /** Gives a proxy that need not wait to a client. Its session id must not be known. */
  admitOffered(match: Match): void {
    this.#bySession.set(match.poll.sid, match);
    match.moveTo("offered");
    this.#offered++;
  }

  /**
   * Takes the best proxy for a client out of the first of these pools that has one. `refused`: proxies to leave where
   * they are while there are others.
   */
  takeFrom(
    pools: readonly PoolName[],
    refused: ((match: Match) => boolean) | undefined,
  ): Match | undefined {
    const match = (refused && this.#firstUnless(pools, refused)) ?? this.#first(pools);
    if (match === undefined) return undefined;
    this.#dequeue(match);
    match.moveTo("offered");
    this.#offered++;
    return match;
  }

  /** Ends a match, wherever it is, in the given state; its session id is then unknown. */
  end(match: Match, state: MatchState): void {
    if (match.state === "waiting") {
      match.pool.remove(match);
      this.#dequeue(match);
    } else {
      this.#offered--;
    }
    match.moveTo(state);
    this.#bySession.delete(match.poll.sid);
  }

  counts(): SessionCounts {
    const byType = noneOfEachType();
    const byNat = { restricted: 0, unrestricted: 0, unknown: 0, strict: 0, moderate: 0, open: 0 };
    for (const { poll } of this.#bySession.values()) {
      byType[poll.type]++;
      byNat[poll.nat]++;
    }
    return { total: this.#bySession.size, byType, byNat };
  }

  waitingByPoolAndType(): WaitingCounts {
    const counts = { open: noneOfEachType(), moderate: noneOfEachType(), strict: noneOfEachType() };
    for (const name of POOL_NAMES) {
      for (const { poll } of this.pools[name]) counts[name][poll.type]++;
    }
    return counts;
  }

  /** Calls `expect` for every invariant. */
  check(expect: (invariant: string, holds: boolean) => void): void {
    const { poolOfProxy, rememberNat, proxyWait } = this.#policy;
    let pooled = 0;
    for (const name of POOL_NAMES) {
      const pool = this.pools[name];
      pooled += pool.size;
      expect("a pool is a heap whose entries know their place", pool.isConsistent());
      for (const match of pool) {
        const { nat } = match.poll;
        const isRemembered = rememberNat > 0 && nat === "unknown";
        expect("only waiting matches are in a pool", match.state === "waiting");
        expect("a proxy knows its pool", match.pool === pool);
        expect(
          "a proxy waits in the pool of its NAT type",
          poolOfProxy[nat] === name || isRemembered,
        );
      }
    }
    const waiting = this.#waiting.flatMap((queue) => [...queue]);
    expect("what is in a pool has a deadline, and nothing else has", pooled === waiting.length);
    for (const queue of this.#waiting) {
      const entries = [...queue];
      expect("a waiting queue knows its length", entries.length === queue.size);
      for (const match of entries) expect("a match knows its queue", match.queue === queue);
    }
    for (const match of waiting) {
      expect("only waiting matches wait", match.state === "waiting");
      expect("who waits has no client", match.client === undefined);
      // Less than a rounding error of the clock's fractions.
      const isInTime = match.deadline - match.since <= proxyWait + 0.001;
      expect("nobody waits longer than the policy has it", isInTime);
    }
    let offered = 0;
    for (const match of this.#bySession.values()) {
      expect("a match is found by its session id", this.find(match.poll.sid) === match);
      if (match.state === "waiting") continue;
      offered++;
      const { client } = match;
      expect("only offered matches wait for an answer", match.state === "offered");
      expect("an offered match is in no pool", match.poolIndex === -1 && match.queue === undefined);
      expect(
        "an offered match has a client that knows it",
        client?.match === match || client?.second === match,
      );
      expect("its client is in flight", client?.queue !== undefined);
    }
    expect("the offered matches know their number", offered === this.#offered);
    const known = waiting.length + offered;
    expect("nothing else is found by a session id", this.#bySession.size === known);
  }

  #first(pools: readonly PoolName[]): Match | undefined {
    for (const name of pools) {
      const match = this.pools[name].take();
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #firstUnless(pools: readonly PoolName[], refused: (match: Match) => boolean): Match | undefined {
    for (const name of pools) {
      const match = this.pools[name].takeUnless(refused);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #enqueue(match: Match, waited: number, now: number): void {
    const queue = this.#waiting[Math.ceil(waited / WAITED_STEP)];
    if (queue === undefined) throw new Error(`a poll can't have waited for ${waited} ms`);
    match.queue = queue;
    queue.add(match, now);
  }

  #dequeue(match: Match): void {
    match.queue?.remove(match);
    match.queue = undefined;
  }

  /** Lets a match whose first deadline is over wait on, as long as in a scarce pool. */
  #keep(match: Match): void {
    const { deadline } = match;
    this.#dequeue(match);
    this.#enqueue(match, this.#policy.proxyDeadline, deadline);
  }
}

function noneOfEachType(): Record<ProxyType, number> {
  return { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0, unknown: 0 };
}
