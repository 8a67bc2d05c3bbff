/** How long to wait before trying again. */

/** The first wait and the longest, in ms. A core that restarts is back within a fraction of a second. */
const SHORTEST = 20;
export const LONGEST_WAIT = 1_000;

/** Doubles the wait with every failure in a row, and spreads it so that many that fail at once don't come back at once. */
export class BackOff {
  readonly #random: () => number;
  #next = SHORTEST;

  /** `random`: a number from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The next wait, in ms: between half of what the row of failures comes to, and all of it. */
  next(): number {
    const wait = this.#next * (0.5 + this.#random() / 2);
    this.#next = Math.min(2 * this.#next, LONGEST_WAIT);
    return wait;
  }

  /** It worked. */
  reset(): void {
    this.#next = SHORTEST;
  }
}
