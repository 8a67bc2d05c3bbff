/** Time that stands still until it is told to move: a clock, and the date, which can be set. */

import { FakeClock } from "../kit/fake-clock.ts";

export class FakeTime {
  readonly clock = new FakeClock();
  #dateOfZero: number;

  /** The date at the beginning, in ms since 1970. */
  constructor(date = Date.now()) {
    this.#dateOfZero = date;
  }

  readonly date = (): number => this.#dateOfZero + this.clock.now();

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** Somebody sets the date. */
  setDate(date: number): void {
    this.#dateOfZero = date - this.clock.now();
  }
}
