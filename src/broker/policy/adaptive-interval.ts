/** A poll interval that follows demand: short where proxies are scarce, long where they are in surplus. */

import type { IntervalBounds } from "./matching-policy.ts";

/**
 * The interval for the next poll, in ms. It is `base` when as many proxies wait as the reserve asks for. Below it falls
 * in proportion, to the least when nobody waits. Above it grows by half of `base` for each further reserve, to the most.
 *
 * It can't oscillate. One waiting proxy less shortens the interval by `base / reserve` at most, and the reserve has the
 * offers of 1.5 intervals. So this brings back at most two thirds of a proxy: the loop's gain is below 1, however late
 * proxies learn of the new interval.
 */
export function adaptiveInterval(
  base: number,
  { least, most }: IntervalBounds,
  waiting: number,
  reserve: number,
): number {
  const level = waiting / reserve;
  if (level > 1) return Math.min(Math.max(most, base), base * (1 + (level - 1) / 2));
  const floor = Math.min(least, base);
  return floor + (base - floor) * level;
}

/** The golden ratio: its multiples without their whole parts are spread evenly, however many are taken. */
const STEP = (Math.sqrt(5) - 1) / 2;

/** Intervals are spread over so much of themselves. */
const WIDTH = 0.25;

/** Spreads intervals, so that proxies that polled at the same time do not come back at the same time. */
export class Spread {
  #position = 0;

  /** The interval times a factor from 0.875 up to 1.125. */
  spread(interval: number): number {
    this.#position = (this.#position + STEP) % 1;
    return interval * (1 + WIDTH * (this.#position - 0.5));
  }
}
