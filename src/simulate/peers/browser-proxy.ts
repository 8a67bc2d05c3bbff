/** The proxy of the browser extension and the badge: snowflake-webext 0.7.0. */

import { type Reply, Volunteer } from "./volunteer.ts";

/** ms between polls: config.js, defaultBrokerPollInterval, and fastBrokerPollInterval of open proxies with success. */
const POLL_INTERVAL = 60_000;
const FAST_POLL_INTERVAL = 30_000;

/** ms that a match without a channel adds to the interval, and one with a channel takes off it: pollAdjustment. */
const ADJUSTMENT = 100_000;

/** The longest interval, in ms: slowestBrokerPollInterval. */
const LONGEST_POLL_INTERVAL = 6 * 3_600_000;

/** Failures in a row, with clients of restricted NATs, after which a proxy takes its own NAT to be restricted. */
const MOST_NAT_FAILURES = 3;

/** ms after which it tests its NAT again: natCheckInterval. */
const NAT_CHECK_INTERVAL = 48 * 3_600_000;

/** Clients at a time, and of open proxies with success: maxNumClients. */
const ONE_CLIENT = 1;
const TWO_CLIENTS = 2;

/**
 * A timer is set for the next poll when one begins, so a change of the interval counts from the next timer on. At its
 * capacity it leaves out polls. A poll that gets no client changes nothing, and neither does `NextPoll` (snowflake.js,
 * beginServingClients and pollBroker).
 */
export class BrowserProxy extends Volunteer {
  #interval = POLL_INTERVAL;
  #mostClients = ONE_CLIENT;
  #natFailures = 0;
  /** Whether the client of its last match said that its NAT is restricted. */
  #isClientRestricted = false;

  begin(delay: number): void {
    this.in(delay, () => this.#turn());
  }

  protected replied(reply: Reply): void {
    if (reply?.kind === "matched") this.#isClientRestricted = reply.clientNat === "restricted";
  }

  protected opened(): void {
    this.#natFailures = 0;
    this.#interval = Math.max(this.#interval - ADJUSTMENT, POLL_INTERVAL);
    if (this.nat !== "unrestricted") return;
    this.#interval = FAST_POLL_INTERVAL;
    this.#mostClients = TWO_CLIENTS;
  }

  protected failed(): void {
    this.#interval = Math.min(this.#interval + ADJUSTMENT, LONGEST_POLL_INTERVAL);
    if (this.#isClientRestricted) this.#natFailures++;
    if (this.#natFailures < MOST_NAT_FAILURES) return;
    this.#natFailures = 0;
    this.#mostClients = ONE_CLIENT;
    this.nat = "restricted";
    this.in(NAT_CHECK_INTERVAL, () => (this.nat = this.traits.nat));
  }

  protected released(): void {
    // It looks again when its timer fires.
  }

  #turn(): void {
    if (this.slots < this.#mostClients) this.in(this.transit(), () => this.poll());
    this.in(this.#interval, () => this.#turn());
  }
}
