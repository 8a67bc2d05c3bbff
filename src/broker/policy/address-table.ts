/** What a policy remembers of addresses, for a while and within bounds. */

/** Entries that each new one looks at to forget those that have expired. */
const SWEEP_STEPS = 2;

/** What is remembered. Expiry times come in no order. */
export interface Remembered {
  /** Until when, in ms of the broker's clock; a time that is only just reached still holds. */
  readonly expires: number;
}

/**
 * Entries by a number that stands for an address. Their caller derives it from the address with a secret of its own; two
 * addresses with one number would share an entry.
 */
export class AddressTable<Entry extends Remembered> {
  readonly #maxEntries: number;
  readonly #onForgotten: ((entry: Entry) => void) | undefined;
  readonly #entries = new Map<number, Entry>();
  /** Where the search for expired entries goes on. It passes each entry once, then starts again. */
  #sweep = this.#entries.entries();

  /** `onForgotten` is called for entries that have expired, some time after. */
  constructor(maxEntries: number, onForgotten?: (entry: Entry) => void) {
    this.#maxEntries = maxEntries;
    this.#onForgotten = onForgotten;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: number, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expires >= now ? entry : undefined;
  }

  /**
   * Remembers an entry instead of any that the key has. When the table is full of entries that still count, nothing is
   * remembered of further keys: a flood of addresses must not push out what is known of honest ones.
   */
  set(key: number, entry: Entry, now: number): void {
    this.#forgetExpired(now);
    if (this.#entries.has(key) || this.#entries.size < this.#maxEntries) {
      this.#entries.set(key, entry);
    }
  }

  delete(key: number): void {
    this.#entries.delete(key);
  }

  /**
   * Looks at two entries and removes them if they have expired. One call adds at most one entry, so the sweep gains on
   * the table, and the table holds at most about twice the entries that still count, whatever the order of their times.
   */
  #forgetExpired(now: number): void {
    for (let looks = 0; looks < SWEEP_STEPS; looks++) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#entries.entries();
        return;
      }
      const [key, entry] = next.value;
      if (entry.expires >= now) continue;
      this.#entries.delete(key);
      this.#onForgotten?.(entry);
    }
  }
}
