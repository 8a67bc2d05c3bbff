/** Poll intervals that follow demand: short where proxies are scarce, long where they are in surplus. */

import type { IntervalBounds } from "./matching-policy.ts";

/** The time over which the number of waiting proxies is averaged, in ms. */
const AVERAGED_OVER = 60_000;

/** The golden ratio: its multiples without their whole parts are spread evenly, however many are taken. */
const STEP = (Math.sqrt(5) - 1) / 2;

/** Intervals are spread over so much of themselves. */
const WIDTH = 0.5;

/**
 * The poll interval of one pool.
 *
 * While fewer proxies wait than the reserve asks for, it is in proportion to their number: the least when nobody waits,
 * the configured one when the reserve is complete. This can't oscillate. One waiting proxy less shortens the interval by
 * `base / reserve` at most, and the reserve has the offers of 1.5 intervals. So it brings back at most two thirds of a
 * proxy: the loop's gain is below 1, however late proxies learn of the new interval.
 *
 * Beyond that it grows by half of the configured one for each further reserve that waits on average, to the most. Here
 * too the gain is below 1: with `n` reserves waiting, one percent more of them makes the interval longer by `n / (n + 1)`
 * percent at most. The average is taken so that proxies that poll together do not all get the same long interval, and
 * the next ones the same short one.
 */
export class AdaptiveInterval {
  readonly #bounds: IntervalBounds;
  #average = 0;
  #averagedAt: number | undefined;
  #spread = 0;

  constructor(bounds: IntervalBounds) {
    this.#bounds = bounds;
  }

  /** The interval in force, in ms, where `base` is configured and so many proxies wait. Looks at least at every poll. */
  inForce(base: number, waiting: number, reserve: number, now: number): number {
    const elapsed = now - (this.#averagedAt ?? now - AVERAGED_OVER);
    this.#averagedAt = now;
    this.#average += (waiting - this.#average) * (1 - Math.exp(-elapsed / AVERAGED_OVER));
    if (waiting < reserve) {
      const floor = Math.min(this.#bounds.least, base);
      return floor + ((base - floor) * waiting) / reserve;
    }
    const most = Math.max(this.#bounds.most, base);
    const beyond = Math.max(0, this.#average / reserve - 1);
    return Math.min(most, base * (1 + beyond / 2));
  }

  /** The interval times a factor from 0.75 up to 1.25, so that proxies that poll together do not stay together. */
  spread(interval: number): number {
    this.#spread = (this.#spread + STEP) % 1;
    return interval * (1 + WIDTH * (this.#spread - 0.5));
  }
}
