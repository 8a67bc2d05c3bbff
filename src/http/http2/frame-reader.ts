/** Cuts received bytes into frames. */

import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, readU31 } from "./frame.ts";

/** Receives frames. The payload is `bytes` from `start` up to `end`. */
export interface FrameReceiver {
  /** Returns false to stop for good. */
  frame(
    type: number,
    flags: number,
    stream: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean;
  /** A frame is longer than allowed. Nothing more is read. */
  frameTooLong(): void;
}

/** Bytes of the first buffer for a frame that arrives in pieces. */
const FIRST_ROOM = 64;

/**
 * Frames that arrive whole are views of what was received. The beginning of an incomplete frame is copied into a buffer
 * that grows as bytes arrive: a header that announces a long frame costs nothing.
 */
export class FrameReader {
  /** The beginning of a frame that is not complete. */
  #partial: Buffer | undefined = undefined;
  #length = 0;

  /** Whether a frame has begun and is not complete. */
  get midFrame(): boolean {
    return this.#length > 0;
  }

  /** Bytes of memory in use. */
  get held(): number {
    return this.#partial?.byteLength ?? 0;
  }

  push(bytes: Buffer, receiver: FrameReceiver): void {
    let at = this.#partial === undefined ? 0 : this.#complete(bytes, receiver);
    if (at < 0) return;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const size = frameSize(bytes, at);
      if (size > FRAME_HEADER_BYTES + MAX_FRAME_BYTES) return receiver.frameTooLong();
      if (size > bytes.length - at) break;
      if (!give(bytes, at, size, receiver)) return;
      at += size;
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at));
  }

  /** Completes the frame that has begun. Returns how many bytes it needed; -1: stop. */
  #complete(bytes: Buffer, receiver: FrameReceiver): number {
    let taken = Math.min(bytes.length, FRAME_HEADER_BYTES - this.#length);
    if (taken > 0) this.#keep(bytes.subarray(0, taken));
    else taken = 0;
    const partial = this.#partial;
    if (partial === undefined || this.#length < FRAME_HEADER_BYTES) return taken;
    const size = frameSize(partial, 0);
    if (size > FRAME_HEADER_BYTES + MAX_FRAME_BYTES) {
      receiver.frameTooLong();
      return -1;
    }
    const more = Math.min(bytes.length - taken, size - this.#length);
    this.#keep(bytes.subarray(taken, taken + more));
    taken += more;
    if (this.#length < size) return taken;
    const whole = this.#partial ?? partial;
    this.#partial = undefined;
    this.#length = 0;
    return give(whole, 0, size, receiver) ? taken : -1;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    let partial = this.#partial ?? Buffer.allocUnsafeSlow(Math.max(FIRST_ROOM, length));
    if (partial.length < length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(2 * partial.length, length));
      partial.copy(wider, 0, 0, this.#length);
      partial = wider;
    }
    partial.set(bytes, this.#length);
    this.#partial = partial;
    this.#length = length;
  }
}

/** Bytes of the frame at `at`, with its header. */
function frameSize(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  return FRAME_HEADER_BYTES + length;
}

function give(bytes: Buffer, at: number, size: number, receiver: FrameReceiver): boolean {
  const type = bytes[at + 3] ?? 0;
  const flags = bytes[at + 4] ?? 0;
  const stream = readU31(bytes, at + 5);
  return receiver.frame(type, flags, stream, bytes, at + FRAME_HEADER_BYTES, at + size);
}
