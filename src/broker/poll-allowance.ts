/** How often one address may poll one pool. */

/**
 * Remembers until when each address has to wait. Addresses are known only by a number that the caller derives from
 * them with a secret of its own; two addresses with one number would share an allowance.
 */
export class PollAllowance {
  readonly #maxEntries: number;
  /** When each key may poll again, oldest entry first. */
  readonly #mayPollAt = new Map<number, number>();
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
    // Deleted first, so that the order of the table stays that of its deadlines.
    this.#mayPollAt.delete(key);
    if (this.#mayPollAt.size < this.#maxEntries) this.#mayPollAt.set(key, at);
    return at;
  }

  /** Each poll pays for forgetting what has expired, oldest first, so no timer is needed and nothing piles up. */
  #forgetExpired(now: number): void {
    for (const [key, at] of this.#mayPollAt) {
      if (at >= now) return;
      this.#mayPollAt.delete(key);
    }
  }
}
