/** Reading what a peer sent, which may be anything. */

import { ABSENT } from "./byte-writer.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads values from bytes, in the order and form in which `ByteWriter` writes them. Faults stick: what is missing or
 * malformed reads as zero or empty, and the caller asks `isComplete` once, at the end. Nothing is thrown, and nothing
 * larger than the bytes themselves is allocated.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #position: number;
  #faulty = false;

  /** The bytes from `start` up to `end`; they must not change while they are read. */
  constructor(bytes: Buffer, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** Whether everything was read and all of it was well-formed. */
  get isComplete(): boolean {
    return !this.#faulty && this.#position === this.#end;
  }

  u8(): number {
    const at = this.#take(1);
    return at === undefined ? 0 : this.#bytes.readUInt8(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at === undefined ? 0 : this.#bytes.readUInt32LE(at);
  }

  /** A whole number, not negative. */
  whole(): number {
    const at = this.#take(8);
    const value = at === undefined ? 0 : this.#bytes.readDoubleLE(at);
    if (Number.isInteger(value) && value >= 0) return value;
    this.#faulty = true;
    return 0;
  }

  optionalU32(): number | undefined {
    const value = this.u32();
    return value === ABSENT ? undefined : value;
  }

  /** A word of a fixed list. */
  choice<T extends string>(list: readonly [T, ...T[]]): T {
    const value = list[this.u8()];
    if (value !== undefined) return value;
    this.#faulty = true;
    return list[0];
  }

  text(): string {
    return this.#text(this.u32());
  }

  optionalText(): string | undefined {
    const length = this.u32();
    return length === ABSENT ? undefined : this.#text(length);
  }

  /** A copy of everything that is left. */
  rest(): Uint8Array {
    const start = this.#position;
    this.#position = this.#end;
    return Uint8Array.from(this.#bytes.subarray(start, this.#end));
  }

  #text(length: number): string {
    const at = this.#take(length);
    if (at === undefined) return "";
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      // Not UTF-8: the decoder's exception says no more than that.
      this.#faulty = true;
      return "";
    }
  }

  /** Where the next `count` bytes begin; undefined, and a fault, if there are fewer. */
  #take(count: number): number | undefined {
    const at = this.#position;
    if (this.#faulty || count > this.#end - at) {
      this.#faulty = true;
      return undefined;
    }
    this.#position = at + count;
    return at;
  }
}
