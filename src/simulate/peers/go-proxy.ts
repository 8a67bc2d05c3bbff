/** Proxies of Snowflake's Go library: `standalone`, and `iptproxy` in mobile apps. */

import type { Random } from "../random.ts";
import type { Field } from "./field.ts";
import type { ProxyTraits } from "./traits.ts";
import { type Reply, Volunteer } from "./volunteer.ts";

/** ms between polls if nothing else is said: proxy/lib/snowflake.go, DefaultPollInterval. */
const POLL_INTERVAL = 5_000;

/** The least ms between a response and the next poll, whatever the broker says: DefaultMinPollInterval. */
const LEAST_POLL_INTERVAL = 1_000;

/** Go's time.Ticker: a tick that nobody takes is kept until somebody does, and those after it are lost. */
export class Ticker {
  #start: number;
  #period: number;
  #taken = 0;

  constructor(start: number, period: number) {
    this.#start = start;
    this.#period = period;
  }

  reset(now: number, period: number): void {
    this.#start = now;
    this.#period = period;
    this.#taken = 0;
  }

  /** When somebody who begins to wait for a tick now gets one: now, if one was kept. */
  take(now: number): number {
    const passed = Math.floor((now - this.#start) / this.#period);
    if (passed > this.#taken) {
      this.#taken = passed;
      return now;
    }
    this.#taken++;
    return this.#start + this.#taken * this.#period;
  }
}

/**
 * One loop: wait for a tick, wait for a free slot, poll. The newest (commits 28224d01 and 0d925e7f of April 2026) poll on
 * while a match connects, and after each response the ticker starts again with `NextPoll`. Older ones, such as Debian's,
 * connect first, and their ticker goes on every 5 s whatever they are told.
 */
export class GoProxy extends Volunteer {
  readonly #obeys: boolean;
  readonly #ticker: Ticker;
  #blocked = false;

  constructor(field: Field, traits: ProxyTraits, random: Random, generation: "newest" | "older") {
    super(field, traits, random);
    this.#obeys = generation === "newest";
    this.#ticker = new Ticker(0, POLL_INTERVAL);
  }

  begin(delay: number): void {
    this.#ticker.reset(this.field.clock.now() + delay, POLL_INTERVAL);
    this.in(delay, () => this.#turn());
  }

  protected replied(reply: Reply): void {
    if (this.#obeys && reply !== undefined) {
      const interval = reply.nextPoll > 0 ? reply.nextPoll : POLL_INTERVAL;
      this.#ticker.reset(this.field.clock.now(), Math.max(LEAST_POLL_INTERVAL, interval));
    }
    if (this.#obeys || reply?.kind !== "matched") this.#waitForTick();
  }

  protected opened(): void {
    if (!this.#obeys) this.#waitForTick();
  }

  protected failed(): void {
    if (!this.#obeys) this.#waitForTick();
  }

  protected released(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#turn();
  }

  #waitForTick(): void {
    const now = this.field.clock.now();
    this.in(this.#ticker.take(now) - now, () => this.#turn());
  }

  #turn(): void {
    this.#blocked = this.slots >= this.traits.capacity;
    if (!this.#blocked) this.in(this.transit(), () => this.poll());
  }
}
