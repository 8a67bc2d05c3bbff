/**
 * Frames: the pieces that the stream between a core and its frontends is made of. `docs/link.md` describes them all.
 *
 * A frame is a u32 that counts what follows it, a u32 that is the id of the call it belongs to (0: of none), a u8 that
 * is its kind, and a payload.
 */

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { Codec } from "./codec.ts";

/**
 * The version of everything in this folder that both ends have to agree on. It changes with any change to a kind, a
 * payload, or a list of words that payloads refer to.
 */
export const PROTOCOL_VERSION = 3;

/** The kinds of frames that are no calls; those of calls begin at 16. */
export const FRAME_KIND = {
  /** Both ways, the first frame of all. */
  hello: 0,
  /** From the core, the last frame of all: why it does not want this frontend. */
  refused: 1,
  /** From a frontend: the peer of a call has gone, or nobody waits any more. The outcome still comes. */
  cancel: 2,
  /** From the core, instead of an outcome: it could not do the call. */
  failed: 3,
  /** From a frontend: something to be counted. */
  count: 4,
  /** From the core, after its hello and whenever they change: the poll intervals in force. */
  intervals: 5,
} as const;

/** Bytes of the first number, and of the whole header. */
const LENGTH_BYTES = 4;
const HEADER_BYTES = 9;

/**
 * The longest frame, in bytes, its length left out. A body of 100 kB may be a description of nothing but `<`, which is
 * written with six bytes each.
 */
export const MAX_FRAME = 768 * 1024;

/** Appends a frame. False, and nothing is appended, if it would be too long. */
export function writeFrame<T>(
  to: ByteWriter,
  kind: number,
  id: number,
  codec: Codec<T>,
  value: T,
): boolean {
  const start = to.length;
  to.u32(0);
  to.u32(id);
  to.u8(kind);
  codec.write(to, value);
  const length = to.length - start - LENGTH_BYTES;
  if (length > MAX_FRAME) {
    to.truncate(start);
    return false;
  }
  to.replaceU32(start, length);
  return true;
}

const scratch = new ByteWriter();

/** How many bytes the frame of a value takes. */
export function frameLength<T>(codec: Codec<T>, value: T): number {
  codec.write(scratch, value);
  const length = HEADER_BYTES + scratch.length;
  scratch.drop(scratch.length);
  return length;
}

/** Takes a frame; false if it is none that may come, and the rest is not to be read. */
export type OnFrame = (kind: number, id: number, payload: ByteReader) => boolean;

const NOTHING = Buffer.alloc(0);

/** Cuts a stream into frames, however it is torn. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  /** The beginning of a frame whose rest has not come, and room for more. */
  #kept: Buffer = NOTHING;
  #keptLength = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes of the stream. False, from then on, if they are no frames. */
  push(chunk: Buffer): boolean {
    if (this.#keptLength === 0) {
      const used = this.#read(chunk, chunk.length);
      if (used === undefined) return false;
      if (used < chunk.length) this.#keep(chunk, used);
      return true;
    }
    this.#keep(chunk, 0);
    const used = this.#read(this.#kept, this.#keptLength);
    if (used === undefined) return false;
    this.#kept.copyWithin(0, used, this.#keptLength);
    this.#keptLength -= used;
    if (this.#keptLength === 0) this.#kept = NOTHING;
    return true;
  }

  /** Reads the frames that are complete and returns how many bytes they took; undefined: they are none. */
  #read(bytes: Buffer, end: number): number | undefined {
    let at = 0;
    while (end - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length > MAX_FRAME || length < HEADER_BYTES - LENGTH_BYTES) return undefined;
      const next = at + LENGTH_BYTES + length;
      if (next > end) break;
      const id = bytes.readUInt32LE(at + 4);
      const kind = bytes.readUInt8(at + 8);
      if (!this.#onFrame(kind, id, new ByteReader(bytes, at + HEADER_BYTES, next))) {
        return undefined;
      }
      at = next;
    }
    return at;
  }

  /** Grows by doubling, so that bytes that come one by one are not copied again and again. */
  #keep(chunk: Buffer, from: number): void {
    const needed = this.#keptLength + chunk.length - from;
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#kept.length));
      this.#kept.copy(grown, 0, 0, this.#keptLength);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#keptLength, from);
    this.#keptLength = needed;
  }
}
