/** Which addresses were seen in a window, and as what, in a few bytes each. */

/** Slots of an empty table; a power of two, as all sizes are. */
const FIRST_SIZE = 1024;

/** The table grows when more than this share of its slots is taken. */
const MAX_LOAD = 0.75;

/**
 * A table with open addressing: 10 bytes a slot, so 13 to 27 bytes an address. Each address has a mask that tells as
 * what it was seen.
 */
export class SeenAddresses {
  readonly #maxEntries: number;
  #keys = new Float64Array(FIRST_SIZE);
  /** 0: the slot is free. */
  #masks = new Uint16Array(FIRST_SIZE);
  #entries = 0;

  /** Takes no more than so many addresses. */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Bytes that the table takes. While it grows, the old one of half the size is there, too. */
  get byteLength(): number {
    return this.#keys.byteLength + this.#masks.byteLength;
  }

  /**
   * Adds bits (at least one, of 16) to the mask of an address, and returns what the mask was before: 0 if the address
   * is new, undefined if it is not there and there is no room for it. `key` stands for the address: a keyed hash of up
   * to 53 bits, of which nobody outside can choose collisions.
   */
  add(key: number, bits: number): number | undefined {
    let slot = this.#slotOf(key);
    const mask = this.#masks[slot] ?? 0;
    if (mask === 0) {
      if (this.#entries >= this.#maxEntries) return undefined;
      if (this.#entries >= this.#masks.length * MAX_LOAD) {
        this.#grow();
        slot = this.#slotOf(key);
      }
      this.#entries++;
      this.#keys[slot] = key;
    }
    this.#masks[slot] = mask | bits;
    return mask;
  }

  /** Forgets all addresses. */
  clear(): void {
    this.#keys = new Float64Array(FIRST_SIZE);
    this.#masks = new Uint16Array(FIRST_SIZE);
    this.#entries = 0;
  }

  /** Where the key is, or the free slot where it would be put. */
  #slotOf(key: number): number {
    const last = this.#masks.length - 1;
    // The lower 32 bits of the hash are as good as all of them to begin with.
    let slot = (key >>> 0) & last;
    while (this.#masks[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & last;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const masks = this.#masks;
    this.#keys = new Float64Array(keys.length * 2);
    this.#masks = new Uint16Array(masks.length * 2);
    for (let slot = 0; slot < masks.length; slot++) {
      const mask = masks[slot] ?? 0;
      if (mask === 0) continue;
      const key = keys[slot] ?? 0;
      const place = this.#slotOf(key);
      this.#keys[place] = key;
      this.#masks[place] = mask;
    }
  }
}
