/** The life of a match, from the poll that may become one to its end. */

import type { Offer, OfferOutcome, Poll, PollOutcome } from "./broker.ts";
import type { Expiring } from "./deadline-queue.ts";
import type { Pooled } from "./pool.ts";

/**
 * waiting ──client──▶ offered ──answer──▶ answered
 *    │                   ├──5 s──▶ expired
 *    │                   └──client hung up──▶ abandoned
 *    ├──10 s──▶ idle
 *    ├──proxy hung up──▶ withdrawn
 *    └──same session id polled again──▶ superseded
 */
export type MatchState =
  | "waiting"
  | "offered"
  | "answered"
  | "expired"
  | "abandoned"
  | "idle"
  | "withdrawn"
  | "superseded";

const NEXT: Readonly<Record<MatchState, readonly MatchState[]>> = {
  waiting: ["offered", "idle", "withdrawn", "superseded"],
  offered: ["answered", "expired", "abandoned"],
  answered: [],
  expired: [],
  abandoned: [],
  idle: [],
  withdrawn: [],
  superseded: [],
};

/** The client's side of a match. */
export interface WaitingClient {
  readonly offer: Offer;
  /** When the offer came, in ms of the broker's clock. */
  readonly since: number;
  readonly settle: (outcome: OfferOutcome) => void;
}

/** One poll and, from `offered` on, the one client it is matched with. */
export class Match implements Pooled, Expiring<Match> {
  readonly poll: Poll;
  /** When the poll came, in ms of the broker's clock. */
  readonly since: number;
  /** When the proxy's address may poll again, in ms of the broker's clock. */
  readonly mayPollAt: number;
  readonly settle: (outcome: PollOutcome) => void;
  client: WaitingClient | undefined = undefined;

  poolIndex = -1;
  poolTicket = 0;
  deadline = 0;
  earlier: Match | undefined = undefined;
  later: Match | undefined = undefined;

  #state: MatchState = "waiting";

  constructor(
    poll: Poll,
    since: number,
    mayPollAt: number,
    settle: (outcome: PollOutcome) => void,
  ) {
    this.poll = poll;
    this.since = since;
    this.mayPollAt = mayPollAt;
    this.settle = settle;
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
