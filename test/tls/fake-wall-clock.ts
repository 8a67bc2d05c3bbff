/** A time of day that stands still until it is told to move. */

import type { Clock } from "../../src/broker/clock.ts";
import { FakeClock } from "../kit/fake-clock.ts";

export class FakeWallClock implements Clock {
  readonly #clock = new FakeClock();
  readonly #start: number;

  /** Milliseconds since 1970. */
  constructor(start = Date.now()) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#clock.now();
  }

  callAt(at: number, callback: () => void): () => void {
    return this.#clock.callAt(at - this.#start, callback);
  }

  get timers(): number {
    return this.#clock.timers;
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
  }
}
