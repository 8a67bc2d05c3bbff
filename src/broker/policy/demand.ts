/** What clients ask of one pool, and how many waiting proxies that needs. */

/** How long an offer counts, in ms: after this time its weight has fallen to 1/e. */
const MEMORY = 60_000;

/** A proxy that was matched is away for one poll interval. The reserve has the offers of so many intervals. */
const INTERVALS = 1.5;

/** The offers that came to one pool, as a rate that follows them within a minute or so. */
export class Demand {
  /** The offers that came, each by its weight at `#at`. */
  #offers = 0;
  #at = 0;

  /** An offer looked for a proxy here, whether it found one or not. */
  offerCame(now: number): void {
    this.#offers = this.#offersAt(now) + 1;
    this.#at = now;
  }

  /** The offers to expect in so many ms. */
  expectedIn(ms: number, now: number): number {
    return (this.#offersAt(now) / MEMORY) * ms;
  }

  /**
   * How many proxies should wait, when matched ones come back after `interval` ms: `least` and those that the offers need.
   * A pool with fewer is scarce.
   *
   * The number that waits is known at every moment, unlike the share of offers that was denied, which a broker with a
   * client in 100 s learns too late, and which is 0 as soon as there is enough. It is stable, too: polls that are kept
   * make the pool larger until it has its reserve, and then no more are kept.
   */
  reserve(least: number, interval: number, now: number): number {
    return least + INTERVALS * this.expectedIn(interval, now);
  }

  #offersAt(now: number): number {
    return this.#offers * Math.exp((this.#at - now) / MEMORY);
  }
}
