/** A clock that moves only when it is told to. */

import type { Clock } from "../broker/clock.ts";

interface Timer {
  readonly at: number;
  /** Timers of one time fire in the order in which they were set. */
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Timers in a binary heap: a simulated day fires millions. */
export class VirtualClock implements Clock {
  #now = 0;
  #lastOrder = 0;
  #timers = 0;
  readonly #heap: Timer[] = [];
  readonly #settle: () => void;

  /** `settle` runs after each timer, before time moves on: it lets promises do what they can at that time. */
  constructor(settle: () => void = () => undefined) {
    this.#settle = settle;
  }

  now(): number {
    return this.#now;
  }

  callAt(at: number, callback: () => void): () => void {
    const timer = { at, order: ++this.#lastOrder, callback, cancelled: false };
    this.#push(timer);
    this.#timers++;
    return () => {
      if (timer.cancelled) return;
      timer.cancelled = true;
      this.#timers--;
    };
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers;
  }

  /** Moves on by `ms`, calling what falls due in its order and at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#removeFirst();
      if (next.cancelled) continue;
      next.cancelled = true;
      this.#timers--;
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      this.#settle();
    }
    this.#now = end;
  }

  #push(timer: Timer): void {
    let index = this.#heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || isBefore(parent, timer)) break;
      this.#heap[index] = parent;
      index = parentIndex;
    }
    this.#heap[index] = timer;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#heap[childIndex];
      const sibling = this.#heap[childIndex + 1];
      if (child === undefined) break;
      if (sibling !== undefined && isBefore(sibling, child)) {
        child = sibling;
        childIndex++;
      }
      if (isBefore(last, child)) break;
      this.#heap[index] = child;
      index = childIndex;
    }
    this.#heap[index] = last;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at === other.at ? one.order < other.order : one.at < other.at;
}
