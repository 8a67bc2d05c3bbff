/**
 * The few parts of Go's gob encoding that a sketch is stored in. An unsigned number below 128 is one byte; any other is
 * a byte 256 - k followed by k bytes, most significant first. A signed number i is the unsigned 2i, or 2(-i) - 1 if it
 * is negative. Numbers are limited to 32 bits unsigned.
 */

/** Bytes that a number takes. */
export function unsignedLength(value: number): number {
  return value < 0x80 ? 1 : 2 + ((31 - Math.clz32(value)) >>> 3);
}

/** Writes into a buffer of a capacity, in bytes, that must suffice. */
export class GobWriter {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  unsigned(value: number): void {
    const length = unsignedLength(value);
    if (length > 1) this.#bytes[this.#length++] = 257 - length;
    for (let shift = 8 * Math.max(length - 2, 0); shift >= 0; shift -= 8) {
      this.#bytes[this.#length++] = value >>> shift;
    }
  }

  raw(bytes: ArrayLike<number>): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The head of a message that holds one value which is no struct: its length, its (encoded) type and a 0 byte. */
  head(type: ArrayLike<number>, valueLength: number): void {
    this.unsigned(type.length + 1 + valueLength);
    this.raw(type);
    this.raw([0]);
  }

  /** What was written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads what may be anything. Failure sticks: what is read after it is 0 or empty. */
export class GobReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** A number of up to 32 bits. */
  unsigned(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    if (first < 0xfc) {
      this.#failed = true;
      return 0;
    }
    let value = 0;
    for (let k = 256 - first; k > 0; k--) value = value * 256 + this.#byte();
    return value;
  }

  /** A view of the next so many bytes. */
  raw(length: number): Uint8Array {
    if (this.#failed || length > this.#bytes.length - this.#position) {
      this.#failed = true;
      return new Uint8Array(0);
    }
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  /** Passes over bytes that must be these. */
  expect(bytes: ArrayLike<number>): void {
    const found = this.raw(bytes.length);
    for (let i = 0; i < bytes.length; i++) {
      if (found[i] !== bytes[i]) this.#failed = true;
    }
  }

  /** A message that holds one value which is no struct. It must be as long as it says. */
  message<T>(type: ArrayLike<number>, value: () => T): T {
    const length = this.unsigned();
    const end = this.#position + length;
    this.expect(type);
    this.expect([0]);
    const result = value();
    if (this.#position !== end) this.#failed = true;
    return result;
  }

  #byte(): number {
    return this.raw(1)[0] ?? 0;
  }
}
