/** Deadlines of thousands of waiting peers behind a single timer. */

import type { Clock } from "./clock.ts";

/** Entries whose time is up that are handled in one turn of the event loop; each may be a reply to be sent. */
const AT_ONCE = 250;

/** What can wait in a queue. The three members belong to the queue that the entry is in. */
export interface Expiring<Entry> {
  deadline: number;
  earlier: Entry | undefined;
  later: Entry | undefined;
}

/**
 * Entries that all wait equally long, so that the order they came in is the order of their deadlines: a linked list
 * through the entries themselves, and one timer for its head. Adding and removing cost the same however many wait.
 */
export class DeadlineQueue<Entry extends Expiring<Entry>> {
  readonly #clock: Clock;
  readonly #delay: number;
  readonly #onDue: (entry: Entry) => void;
  #head: Entry | undefined;
  #tail: Entry | undefined;
  #size = 0;
  /** When the timer fires: it may be early, when the head it was set for has left. Infinity: none is set. */
  #armedFor = Infinity;
  #disarm: (() => void) | undefined;

  /** `delay`: ms that every entry waits. `onDue` is called for an entry whose time is up, and has to remove it. */
  constructor(clock: Clock, delay: number, onDue: (entry: Entry) => void) {
    this.#clock = clock;
    this.#delay = delay;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#size;
  }

  /** The entry with the earliest deadline. */
  get first(): Entry | undefined {
    return this.#head;
  }

  /** Lets an entry wait, from the time `now`. One that comes back after it had left goes to its old place. */
  add(entry: Entry, now: number): void {
    entry.deadline = now + this.#delay;
    let before = this.#tail;
    while (before !== undefined && before.deadline > entry.deadline) before = before.earlier;
    const after = before === undefined ? this.#head : before.later;
    entry.earlier = before;
    entry.later = after;
    if (before === undefined) this.#head = entry;
    else before.later = entry;
    if (after === undefined) this.#tail = entry;
    else after.earlier = entry;
    this.#size++;
    if (entry.deadline < this.#armedFor) this.#arm(entry.deadline);
  }

  /** Takes out an entry, which must be in this queue. */
  remove(entry: Entry): void {
    if (entry.earlier === undefined) this.#head = entry.later;
    else entry.earlier.later = entry.later;
    if (entry.later === undefined) this.#tail = entry.earlier;
    else entry.later.earlier = entry.earlier;
    entry.earlier = undefined;
    entry.later = undefined;
    this.#size--;
  }

  /** The entries, earliest deadline first. */
  *[Symbol.iterator](): Generator<Entry> {
    for (let entry = this.#head; entry !== undefined; entry = entry.later) yield entry;
  }

  /** Sets the timer, instead of one that is set for later. */
  #arm(at: number): void {
    this.#disarm?.();
    this.#armedFor = at;
    this.#disarm = this.#clock.callAt(at, () => {
      this.#fire();
    });
  }

  #fire(): void {
    this.#armedFor = Infinity;
    this.#disarm = undefined;
    const now = this.#clock.now();
    for (let left = AT_ONCE; left > 0; left--) {
      if (this.#head === undefined || this.#head.deadline > now) break;
      this.#onDue(this.#head);
    }
    if (this.#head !== undefined && this.#head.deadline < this.#armedFor) {
      this.#arm(this.#head.deadline);
    }
  }
}
