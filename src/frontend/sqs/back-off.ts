/** How long to wait after each of several failures in a row. */

/** The ceiling of the first pause, in ms. */
const FIRST = 1_000;

/** The highest ceiling, in ms. */
const LAST = 30_000;

export class BackOff {
  readonly #random: () => number;
  #ceiling = FIRST;

  /** `random`: 0 to 1. Brokers that failed together shall not come back together. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The next pause, in ms: between half its ceiling and all of it. The ceiling doubles each time, up to 30 s. */
  next(): number {
    const pause = this.#ceiling * (0.5 + this.#random() / 2);
    this.#ceiling = Math.min(this.#ceiling * 2, LAST);
    return pause;
  }

  /** Something succeeded: begins anew. */
  reset(): void {
    this.#ceiling = FIRST;
  }
}
