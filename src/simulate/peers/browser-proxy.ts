/** The proxy of the browser extension and the badge (snowflake-webext 0.7.0). */

import { type Reply, Volunteer } from "./volunteer.ts";

/** ms between polls: config.js, defaultBrokerPollInterval, and fastBrokerPollInterval of open proxies. */
const POLL_INTERVAL = 60_000;
const OPEN_POLL_INTERVAL = 30_000;

/** ms that a poll in vain adds to the interval, and a match takes off it: config.js, pollAdjustment. */
const ADJUSTMENT = 100_000;

/** The longest interval, in ms: config.js, slowestBrokerPollInterval. */
const LONGEST_POLL_INTERVAL = 6 * 3_600_000;

/**
 * A timer is set for the next poll when a poll begins, so what a poll changes counts from the next but one. At its
 * capacity it leaves out polls. It is deaf to `NextPoll` (snowflake.js, beginServingClients and pollBroker).
 */
export class BrowserProxy extends Volunteer {
  #interval = POLL_INTERVAL;

  begin(delay: number): void {
    this.#interval = this.#shortest;
    this.in(delay, () => this.#turn());
  }

  protected replied(reply: Reply): void {
    if (reply?.kind !== "matched") this.#lengthen();
  }

  protected opened(): void {
    this.#interval = Math.max(this.#interval - ADJUSTMENT, this.#shortest);
  }

  protected failed(): void {
    this.#lengthen();
  }

  protected released(): void {
    // It looks again when its timer fires.
  }

  get #shortest(): number {
    return this.nat === "unrestricted" ? OPEN_POLL_INTERVAL : POLL_INTERVAL;
  }

  #lengthen(): void {
    this.#interval = Math.min(this.#interval + ADJUSTMENT, LONGEST_POLL_INTERVAL);
  }

  #turn(): void {
    if (this.slots < this.traits.capacity) this.in(this.transit(), () => this.poll());
    this.in(this.#interval, () => this.#turn());
  }
}
