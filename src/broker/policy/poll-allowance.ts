/** How often one address may poll one pool. */

/** Entries that each poll looks at to forget those that have expired. */
const SWEEP_STEPS = 2;

/**
 * Remembers until when each address has to wait. Addresses are known only by a number that the caller derives from
 * them with a secret of its own; two addresses with one number would share an allowance.
 */
export class PollAllowance {
  readonly #maxEntries: number;
  /** When each key may poll again. Intervals change, so these times come in no order. */
  readonly #mayPollAt = new Map<number, number>();
  /** Where the search for expired entries goes on. It passes each entry once, then starts again. */
  #sweep = this.#mayPollAt.entries();
  /** Milliseconds from one poll of an address to its next. */
  interval: number;

  constructor(interval: number, maxEntries: number) {
    this.interval = interval;
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#mayPollAt.size;
  }

  /** Until when the key has to wait; undefined if it may poll now. A deadline that is only just reached still holds. */
  mustWaitUntil(key: number, now: number): number | undefined {
    const at = this.#mayPollAt.get(key);
    return at !== undefined && at >= now ? at : undefined;
  }

  /**
   * Notes a poll and returns when the key may poll next. When the table is full of addresses that still wait, the
   * poll goes unnoted: a flood of addresses must not keep honest proxies out.
   */
  note(key: number, now: number): number {
    this.#forgetExpired(now);
    const at = now + this.interval;
    if (this.#mayPollAt.has(key) || this.#mayPollAt.size < this.#maxEntries) {
      this.#mayPollAt.set(key, at);
    }
    return at;
  }

  /**
   * Looks at two entries and removes them if they have expired. One poll adds at most one entry, so the sweep gains on
   * the table, and the table holds at most about twice the entries that still count, whatever the order of their times.
   */
  #forgetExpired(now: number): void {
    for (let looks = 0; looks < SWEEP_STEPS; looks++) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#mayPollAt.entries();
        return;
      }
      const [key, at] = next.value;
      if (at < now) this.#mayPollAt.delete(key);
    }
  }
}
