/** Where every match is: in a pool, under a deadline, and to be found by its session id. */

import type { NatType } from "../messages/nat-type.ts";
import type { ProxyType } from "../messages/proxy-type.ts";
import type { SessionId } from "../messages/session-id.ts";
import type { SessionCounts } from "./broker.ts";
import type { Clock } from "./clock.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import type { Match, MatchState, WaitingClient } from "./match.ts";
import type { MatchingPolicy } from "./policy/matching-policy.ts";
import { POOL_NAMES, type PoolName } from "./policy/nat-classes.ts";
import { Pool } from "./pool.ts";

/**
 * A poll that waits again goes home up to this many ms early: those that had waited about equally long share a queue,
 * so that the order of each queue is that of its deadlines.
 */
const WAITED_STEP = 1_000;

/** What to do with a match whose time is up: it has to be ended. */
export interface Deadlines {
  readonly onIdle: (match: Match) => void;
  readonly onExpired: (match: Match) => void;
}

/** How many proxies wait. */
export type WaitingCounts = Readonly<Record<PoolName, Readonly<Record<ProxyType, number>>>>;

export class Matches {
  readonly #policy: MatchingPolicy;
  readonly #pools: Readonly<Record<PoolName, Pool<Match>>>;
  /** Every match that is waiting or offered; an id belongs to one of them at most. */
  readonly #bySession = new Map<SessionId, Match>();
  /** The first is for polls that come for the first time, the next for those that had waited for up to a step, and so on. */
  readonly #waiting: readonly DeadlineQueue<Match>[];
  readonly #offered: DeadlineQueue<Match>;
  #heldCharacters = 0;

  constructor(clock: Clock, policy: MatchingPolicy, deadlines: Deadlines) {
    const { proxyDeadline, clientDeadline, comesBefore } = policy;
    this.#policy = policy;
    this.#pools = {
      open: new Pool(comesBefore),
      moderate: new Pool(comesBefore),
      strict: new Pool(comesBefore),
    };
    this.#waiting = Array.from(
      { length: 1 + proxyDeadline / WAITED_STEP },
      (_, steps) => new DeadlineQueue(clock, proxyDeadline - steps * WAITED_STEP, deadlines.onIdle),
    );
    this.#offered = new DeadlineQueue(clock, clientDeadline, deadlines.onExpired);
  }

  /** How many proxies wait for a client. */
  get waiting(): number {
    return this.#pools.open.size + this.#pools.moderate.size + this.#pools.strict.size;
  }

  /** How many clients wait for an answer. */
  get offered(): number {
    return this.#offered.size;
  }

  /** How long the offers of these clients are together, in UTF-16 units. */
  get heldCharacters(): number {
    return this.#heldCharacters;
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
    this.#poolOf(match).add(match);
    this.#queueOf(match).add(match, now);
  }

  /** Takes the best proxy for a client of this NAT type out of its pool and gives it the client's deadline. */
  takeFor(nat: NatType, now: number): Match | undefined {
    for (const name of this.#policy.poolsForClient[nat]) {
      const match = this.#pools[name].take();
      if (match === undefined) continue;
      this.#queueOf(match).remove(match);
      match.moveTo("offered");
      this.#offered.add(match, now);
      return match;
    }
    return undefined;
  }

  /** Gives an offered match its client. */
  hold(match: Match, client: WaitingClient): void {
    match.client = client;
    this.#heldCharacters += client.offer.offer.length;
  }

  /** Ends a match, wherever it is, in the given state; its session id is then unknown. */
  end(match: Match, state: MatchState): void {
    if (match.state === "waiting") {
      this.#poolOf(match).remove(match);
      this.#queueOf(match).remove(match);
    } else {
      this.#offered.remove(match);
      this.#heldCharacters -= match.client?.offer.offer.length ?? 0;
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
      for (const { poll } of this.#pools[name]) counts[name][poll.type]++;
    }
    return counts;
  }

  /** Walks all invariants and names those that do not hold. */
  consistencyCheck(): string[] {
    const faults = new Set<string>();
    const expect = (invariant: string, holds: boolean) => {
      if (!holds) faults.add(invariant);
    };
    let pooled = 0;
    for (const name of POOL_NAMES) {
      const pool = this.#pools[name];
      pooled += pool.size;
      expect("a pool is a heap whose entries know their place", pool.isConsistent());
      for (const match of pool) {
        expect("only waiting matches are in a pool", match.state === "waiting");
        expect(
          "a proxy waits in the pool of its NAT type",
          this.#policy.poolOfProxy[match.poll.nat] === name,
        );
      }
    }
    const waiting = this.#waiting.flatMap((queue) => [...queue]);
    const offered = [...this.#offered];
    expect("what is in a pool has a deadline, and nothing else has", pooled === waiting.length);
    for (const queue of this.#waiting) {
      expect("a waiting queue knows its length", [...queue].length === queue.size);
    }
    expect("the offered queue knows its length", offered.length === this.#offered.size);
    for (const match of waiting) {
      expect("only waiting matches wait", match.state === "waiting");
      expect(
        "nobody waits longer than the policy has it",
        match.deadline - match.since <= this.#policy.proxyDeadline,
      );
    }
    for (const match of offered) {
      expect("only offered matches wait for an answer", match.state === "offered");
      expect("an offered match has a client", match.client !== undefined);
      expect("an offered match is in no pool", match.poolIndex === -1);
    }
    const held = offered.reduce((sum, { client }) => sum + (client?.offer.offer.length ?? 0), 0);
    expect("the length of held offers is known", held === this.#heldCharacters);
    for (const match of [...waiting, ...offered]) {
      expect("a match is found by its session id", this.find(match.poll.sid) === match);
    }
    const known = waiting.length + offered.length;
    expect("nothing else is found by a session id", this.#bySession.size === known);
    return [...faults];
  }

  #queueOf({ poll: { waited = 0 } }: Match): DeadlineQueue<Match> {
    const queue = this.#waiting[Math.ceil(waited / WAITED_STEP)];
    if (queue === undefined) throw new Error(`a poll can't have waited for ${waited} ms`);
    return queue;
  }

  #poolOf(match: Match): Pool<Match> {
    return this.#pools[this.#policy.poolOfProxy[match.poll.nat]];
  }
}

function noneOfEachType(): Record<ProxyType, number> {
  return { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0, unknown: 0 };
}
