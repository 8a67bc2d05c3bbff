/** Which messages came lately, since the service may deliver one more than once. */

export class RecentMessages {
  readonly #limit: number;
  readonly #keep: number;
  /** When each id is forgotten; in the order of arrival, which is also the order of these times. */
  readonly #forgetAt = new Map<string, number>();

  /** Remembers an id for `keep` ms, and at most `limit` of them: above that the oldest is forgotten early. */
  constructor(limit: number, keep: number) {
    this.#limit = limit;
    this.#keep = keep;
  }

  /** How many ids are remembered. */
  get size(): number {
    return this.#forgetAt.size;
  }

  /** Remembers the id of a message that comes at the time `now`, in ms; false if it came before. */
  note(id: string, now: number): boolean {
    for (const [old, at] of this.#forgetAt) {
      if (at > now) break;
      this.#forgetAt.delete(old);
    }
    if (this.#forgetAt.has(id)) return false;
    if (this.#forgetAt.size >= this.#limit) this.#forgetOldest();
    this.#forgetAt.set(id, now + this.#keep);
    return true;
  }

  #forgetOldest(): void {
    for (const oldest of this.#forgetAt.keys()) {
      this.#forgetAt.delete(oldest);
      return;
    }
  }
}
