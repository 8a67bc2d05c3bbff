/** Bytes that are written now and sent later. */

/** What stands for a text that is not there, where a text's length is expected. */
export const ABSENT = 0xffff_ffff;

/** Bytes of a writer that has nothing to hold. */
const SMALL = 64 * 1024;

/** A writer grows as it needs; it falls back to its first size when it is empty again and has grown beyond this. */
const LARGE = 1024 * 1024;

/** A queue of bytes: values are appended at its end, and what was sent is taken from its front. Little-endian. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(SMALL);
  #start = 0;
  #end = 0;

  /** How many bytes are in it. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Everything in it; holds until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#end = this.#bytes.writeUInt8(value, this.#end);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#end = this.#bytes.writeUInt32LE(value, this.#end);
  }

  /** A whole number that may be larger than 32 bits; written as a double. */
  whole(value: number): void {
    this.#reserve(8);
    this.#end = this.#bytes.writeDoubleLE(value, this.#end);
  }

  /** A number of 32 bits that may be absent; the largest stands for that. */
  optionalU32(value: number | undefined): void {
    this.u32(value ?? ABSENT);
  }

  /** A word of a fixed list, as its place there. */
  choice<T extends string>(list: readonly T[], value: T): void {
    this.u8(list.indexOf(value));
  }

  /** A text as the number of its bytes and its UTF-8. */
  text(value: string): void {
    // No UTF-16 code unit takes more than three bytes.
    this.#reserve(4 + 3 * value.length);
    const length = this.#bytes.write(value, this.#end + 4);
    this.#end = this.#bytes.writeUInt32LE(length, this.#end) + length;
  }

  optionalText(value: string | null | undefined): void {
    if (value === null || value === undefined) this.u32(ABSENT);
    else this.text(value);
  }

  /** Bytes as they are, without their number. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
  }

  /** Overwrites four bytes that were written at this distance from the front. */
  replaceU32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, this.#start + at);
  }

  /** Takes bytes from the end until this many are left. */
  truncate(length: number): void {
    this.#end = this.#start + length;
  }

  /** Takes this many bytes from the front. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    if (this.#bytes.length > LARGE) this.#bytes = Buffer.allocUnsafe(SMALL);
  }

  /** Makes room at the end: by moving everything to the front if that frees half, else by growing. */
  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const needed = this.length + count;
    const target =
      2 * needed <= this.#bytes.length
        ? this.#bytes
        : Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, needed));
    this.#bytes.copy(target, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#bytes = target;
  }
}
