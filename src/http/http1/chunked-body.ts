/** Bodies in chunks (RFC 9112, section 7.1). */

import { HEAD_BYTES } from "../limits.ts";
import { HeldBytes } from "./held-bytes.ts";

const CR = 0x0d;
const LF = 0x0a;

/** As in Go: up to 16 digits, blanks, and extensions that nobody needs. */
// oxlint-disable-next-line no-control-regex
const SIZE_LINE = /^([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\0-\x08\x0a-\x1f\x7f]*)?$/;
// oxlint-disable-next-line no-control-regex
const TRAILER_LINE = /^[\w!#$%&'*+.^`|~-]+:[^\0-\x08\x0a-\x1f\x7f]*$/;

/** Bytes of a line with a chunk's size, as in Go. */
const LINE_BYTES = 4096;

/**
 * Bytes of size lines beyond 16 for each chunk and two for each byte of data, as in Go: single bytes may be sent as
 * chunks, but extensions are not for sending much that counts for nothing.
 */
const EXCESS_BYTES = 16 * 1024;

const NOTHING = new Uint8Array();

/** `malformed`: where the body ends can't be known. */
export type ChunkedState = "incomplete" | "complete" | "too-long" | "malformed";

/** A body on its way, cut anywhere. Extensions and trailers are checked and forgotten. */
export class ChunkedBody {
  readonly #limit: number;
  #state: ChunkedState = "incomplete";
  /** What comes next, unless bytes of a chunk do. */
  #line: "size" | "after-chunk" | "trailer" = "size";
  #chunkLeft = 0;
  #length = 0;
  #excess = 0;
  #trailerBytes = 0;
  /** Data of the first chunk, as long as it is the only one and came at once with the end: it need not be copied. */
  #first: Uint8Array | undefined = undefined;
  readonly #held = new HeldBytes();

  /** `limit`: the most bytes of a body that is wanted. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get state(): ChunkedState {
    return this.#state;
  }

  /** Bytes of memory that the body takes. */
  get size(): number {
    return this.#held.size;
  }

  /** The body, when it is complete. */
  get bytes(): Uint8Array {
    return this.#first ?? (this.#held.length === 0 ? NOTHING : this.#held.bytes);
  }

  /** Takes bytes from `start` on, and returns where those begin that it leaves: an incomplete line or what follows. */
  take(bytes: Buffer, start: number): number {
    let at = start;
    while (this.#state === "incomplete" && at < bytes.length) {
      if (this.#chunkLeft > 0) {
        const piece = bytes.subarray(at, at + this.#chunkLeft);
        this.#takeData(piece);
        at += piece.length;
        continue;
      }
      const lineFeed = bytes.indexOf(LF, at);
      // The last byte may be the CR.
      const end = (lineFeed === -1 ? bytes.length : lineFeed) - 1;
      if (end - at > LINE_BYTES) this.#state = "malformed";
      if (lineFeed === -1) break;
      if (end < at || bytes[end] !== CR) this.#state = "malformed";
      else this.#takeLine(bytes.toString("latin1", at, end));
      at = lineFeed + 1;
    }
    if (this.#state === "incomplete") this.#keepFirst();
    return at;
  }

  #takeData(piece: Uint8Array): void {
    this.#chunkLeft -= piece.length;
    if (this.#first === undefined && this.#held.length === 0) {
      this.#first = piece;
      return;
    }
    this.#keepFirst();
    this.#held.append(piece);
  }

  #keepFirst(): void {
    if (this.#first === undefined) return;
    this.#held.append(this.#first);
    this.#first = undefined;
  }

  #takeLine(line: string): void {
    switch (this.#line) {
      case "size":
        this.#takeSize(line);
        break;
      case "after-chunk":
        this.#line = "size";
        if (line !== "") this.#state = "malformed";
        break;
      case "trailer":
        this.#trailerBytes += line.length + 2;
        if (line === "") this.#state = "complete";
        else if (this.#trailerBytes > HEAD_BYTES || !TRAILER_LINE.test(line)) {
          this.#state = "malformed";
        }
        break;
    }
  }

  #takeSize(line: string): void {
    const digits = SIZE_LINE.exec(line)?.[1];
    if (digits === undefined) {
      this.#state = "malformed";
      return;
    }
    const size = Number.parseInt(digits, 16);
    this.#chunkLeft = size;
    this.#line = size === 0 ? "trailer" : "after-chunk";
    this.#excess = Math.max(0, this.#excess + line.length + 4 - 16 - 2 * size);
    this.#length += size;
    if (this.#excess > EXCESS_BYTES) this.#state = "malformed";
    else if (this.#length > this.#limit) this.#state = "too-long";
  }
}
