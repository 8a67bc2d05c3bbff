/** How long peers may keep us waiting, and one clock for all of them. */

import type { Bound } from "./limits.ts";

/** What a connection is held to a time for. */
export type Timed =
  "proxy-header" | "handshake" | "request" | "head" | "body" | "unread" | "closing";

/** The bound that strikes when the time is up; closing is our own wish. */
export const TIME_BOUNDS: Readonly<Record<Timed, Bound | undefined>> = {
  "proxy-header": "proxy-header",
  handshake: "handshake-time",
  request: "idle-time",
  head: "head-time",
  body: "body-time",
  unread: "unread-time",
  closing: undefined,
};

/** Milliseconds for each. */
export type TimeLimits = Readonly<Record<Timed, number>>;

export const TIME_LIMITS: TimeLimits = {
  // A load balancer sends it at once, some only with the first bytes of their peer: then that is as slow as a handshake.
  "proxy-header": 20_000,
  // A handshake takes two round trips, through networks that drop packets on purpose.
  handshake: 20_000,
  // Load balancers keep idle connections for up to 600 s, and lose a POST if we close first.
  request: 620_000,
  head: 15_000,
  // A whole body at 20 kbit/s.
  body: 40_000,
  // What a peer has not taken by then, it never will.
  unread: 60_000,
  // What a peer still sends is read away, so that no reset overtakes our last reply.
  closing: 1_000,
};

/** Milliseconds from one look at the clock to the next. */
export const TICK = 1_000;

/** What can be held to a time. All members belong to the `TimeKeeper`. */
export interface Waiting<T> {
  timed: Timed | undefined;
  /** When its time began, in ms of the peers' time. */
  since: number;
  earlier: T | undefined;
  later: T | undefined;
}

/** How many times slower the peers' time goes while we are busy. */
const BUSY = 4;

/**
 * Holds connections to their times. Its clock tells the peers' time: it goes on while peers keep us waiting, and slower
 * while we are busy, so that nobody is cut off for what we have not come to yet, and nobody stays for ever.
 */
export class TimeKeeper<T extends Waiting<T>> {
  readonly #limits: TimeLimits;
  readonly #onTimeout: (connection: T, timed: Timed) => void;
  readonly #lists: Readonly<Record<Timed, WaitingList<T>>> = {
    "proxy-header": new WaitingList(),
    handshake: new WaitingList(),
    request: new WaitingList(),
    head: new WaitingList(),
    body: new WaitingList(),
    unread: new WaitingList(),
    closing: new WaitingList(),
  };
  #now = 0;

  /** `onTimeout` is called for a connection whose time is up; it is then held to nothing. */
  constructor(limits: TimeLimits, onTimeout: (connection: T, timed: Timed) => void) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
  }

  /** Starts the time for this, instead of whatever there was; undefined: nothing is timed. */
  start(connection: T, timed: Timed | undefined): void {
    if (connection.timed !== undefined) this.#lists[connection.timed].remove(connection);
    connection.timed = timed;
    if (timed === undefined) return;
    connection.since = this.#now;
    this.#lists[timed].append(connection);
  }

  /** The connection whose place another may take: the one that has idled longest, or else that keeps us waiting. */
  get mostDispensable(): T | undefined {
    for (const timed of BY_WORTH) {
      const { first } = this.#lists[timed];
      if (first !== undefined) return first;
    }
    return undefined;
  }

  /** A tick has come: ends what is overdue. `busy`: whether we were, since the last one. */
  tick(busy: boolean): void {
    this.#now += busy ? TICK / BUSY : TICK;
    for (const timed of TIMED) {
      const list = this.#lists[timed];
      const overdue = this.#now - this.#limits[timed];
      for (let first = list.first; first !== undefined && first.since <= overdue;) {
        this.start(first, undefined);
        this.#onTimeout(first, timed);
        first = list.first;
      }
    }
  }
}

/** Who goes first when places are wanted. Without the others, those that never finish a handshake could have all. */
const BY_WORTH: readonly Timed[] = [
  "closing",
  "request",
  "proxy-header",
  "handshake",
  "head",
  "body",
  "unread",
];

const TIMED: readonly Timed[] = [
  "proxy-header",
  "handshake",
  "request",
  "head",
  "body",
  "unread",
  "closing",
];

/** A linked list in the order of its times, which leaving costs the same wherever in it one is. */
class WaitingList<T extends Waiting<T>> {
  first: T | undefined = undefined;
  #last: T | undefined = undefined;

  append(connection: T): void {
    connection.earlier = this.#last;
    connection.later = undefined;
    if (this.#last === undefined) this.first = connection;
    else this.#last.later = connection;
    this.#last = connection;
  }

  remove(connection: T): void {
    if (connection.earlier === undefined) this.first = connection.later;
    else connection.earlier.later = connection.later;
    if (connection.later === undefined) this.#last = connection.earlier;
    else connection.later.earlier = connection.earlier;
    connection.earlier = undefined;
    connection.later = undefined;
  }
}
