/** The life of a match, from the poll that may become one to its end. */

import type { Poll, PollOutcome } from "./broker.ts";
import type { Client } from "./client.ts";
import type { DeadlineQueue, Expiring } from "./deadline-queue.ts";
import type { Pool, Pooled } from "./pool.ts";

/**
 * waiting ──client──▶ offered ──answer──▶ answered
 *    │                   ├──client's 5 s──▶ expired
 *    │                   ├──client hung up──▶ abandoned
 *    │                   └──another proxy answered first──▶ overtaken
 *    ├──10 s, or up to 28 s──▶ idle
 *    ├──proxy hung up──▶ withdrawn
 *    └──same session id polled again──▶ superseded
 */
export type MatchState =
  | "waiting"
  | "offered"
  | "answered"
  | "expired"
  | "abandoned"
  | "overtaken"
  | "idle"
  | "withdrawn"
  | "superseded";

const NEXT: Readonly<Record<MatchState, readonly MatchState[]>> = {
  waiting: ["offered", "idle", "withdrawn", "superseded"],
  offered: ["answered", "expired", "abandoned", "overtaken"],
  answered: [],
  expired: [],
  abandoned: [],
  overtaken: [],
  idle: [],
  withdrawn: [],
  superseded: [],
};

/** What the broker knows of a proxy besides its poll; the members are those of `Match`. */
export type WaitingProxy = Pick<
  Match,
  "since" | "mayPollAt" | "pool" | "addressKey" | "unreliable" | "settle"
>;

/** One poll and, from `offered` on, the one client it is matched with. */
export class Match implements Pooled, Expiring<Match> {
  readonly poll: Poll;
  /** When the poll came, in ms of the broker's clock. */
  readonly since: number;
  /** When the proxy's address may poll again, in ms of the broker's clock. */
  readonly mayPollAt: number;
  readonly settle: (outcome: PollOutcome) => void;
  /** Where the proxy waits. */
  readonly pool: Pool<Match>;
  /** Stands for the proxy's address. */
  readonly addressKey: number;
  readonly unreliable: boolean;
  client: Client | undefined = undefined;

  /** Belongs to `Matches`: where the deadline of a waiting match is. */
  queue: DeadlineQueue<Match> | undefined = undefined;
  poolIndex = -1;
  poolTicket = 0;
  deadline = 0;
  earlier: Match | undefined = undefined;
  later: Match | undefined = undefined;

  #state: MatchState = "waiting";

  constructor(poll: Poll, proxy: WaitingProxy) {
    this.poll = poll;
    this.since = proxy.since;
    this.mayPollAt = proxy.mayPollAt;
    this.pool = proxy.pool;
    this.addressKey = proxy.addressKey;
    this.unreliable = proxy.unreliable;
    this.settle = proxy.settle;
  }

  get state(): MatchState {
    return this.#state;
  }

  get clients(): number {
    return this.poll.clients;
  }

  /** Goes on to another state. Throws if the machine above has no such way: a bug of ours, never a peer's doing. */
  moveTo(state: MatchState): void {
    if (!NEXT[this.#state].includes(state)) {
      throw new Error(`a match cannot go from ${this.#state} to ${state}`);
    }
    this.#state = state;
  }
}
