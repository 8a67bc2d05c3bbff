/** Which messages came lately, since the service may deliver one more than once. */

export class RecentMessages {
  readonly #limit: number;
  readonly #keep: number;
  readonly #known = new Set<string>();
  /**
   * The known ids in the order of arrival, from `#first` on. A queue of their own: walking the set from its start would
   * pass the places of all deleted ids every time.
   */
  #arrivals: { readonly id: string; readonly forgetAt: number }[] = [];
  #first = 0;

  /** Remembers an id for `keep` ms, and at most `limit` of them: above that the oldest is forgotten early. */
  constructor(limit: number, keep: number) {
    this.#limit = limit;
    this.#keep = keep;
  }

  /** How many ids are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** Remembers the id of a message that comes at the time `now`, in ms; false if it came before. */
  note(id: string, now: number): boolean {
    while ((this.#arrivals[this.#first]?.forgetAt ?? Infinity) <= now) this.#forgetOldest();
    if (this.#known.has(id)) return false;
    if (this.#known.size >= this.#limit) this.#forgetOldest();
    this.#known.add(id);
    this.#arrivals.push({ id, forgetAt: now + this.#keep });
    return true;
  }

  #forgetOldest(): void {
    const oldest = this.#arrivals[this.#first];
    if (oldest === undefined) return;
    this.#known.delete(oldest.id);
    this.#first++;
    // Each id is moved once at most for every one that was forgotten.
    if (this.#first * 2 < this.#arrivals.length) return;
    this.#arrivals = this.#arrivals.slice(this.#first);
    this.#first = 0;
  }
}
