/** Bytes that wait for those that follow them, in one piece. */
export class HeldBytes {
  #block = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory that this takes. */
  get size(): number {
    return this.#block.length;
  }

  /** A view. It stays valid: blocks are left behind, never overwritten. */
  get bytes(): Buffer {
    return this.#block.subarray(this.#start, this.#end);
  }

  append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#block.length) {
      // The first bytes are often the last.
      this.#move(this.length === 0 ? bytes.length : 2 * (this.length + bytes.length));
    }
    this.#block.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Forgets bytes at the beginning. */
  drop(count: number): void {
    this.#start += count;
    if (4 * this.length < this.#block.length) this.#move(this.length);
  }

  #move(size: number): void {
    const block = Buffer.allocUnsafeSlow(size);
    this.#block.copy(block, 0, this.#start, this.#end);
    this.#end = this.length;
    this.#start = 0;
    this.#block = block;
  }
}
