/** Texts on their way to an output whose reader may be slow, stopped or gone, or whose disk may be full. */

import type { Clock } from "../broker/clock.ts";
import type { WriteAtOnce } from "./unblocked-output.ts";

/** Milliseconds between two attempts to write what waits. */
export const RETRY = 50;

/** Milliseconds that the end of the process waits for a reader: enough for 1 MiB through a pipe of 64 KiB. */
const LAST_WAIT = 500;

/** Milliseconds between two attempts at the end. */
const LAST_RETRY = 10;

/** Bytes up to which waiting texts are written in one go. A socket takes few of them if each is a line. */
const LARGEST_JOINED = 4096;

export interface OutputWriterParts {
  readonly writeAtOnce: WriteAtOnce;
  /** Bytes that may wait for being written, besides a text that is written in part. */
  readonly room: number;
  readonly clock: Clock;
  /** Called when everything that had to wait has been written. Must not throw. */
  readonly onCaughtUp?: () => void;
}

/** Writes texts whole and in their order, as soon as the output takes them, and never waits for it. */
export class OutputWriter {
  readonly #parts: OutputWriterParts;
  /** What is not written yet, oldest first. The first may be the rest of a text. */
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isRetrying = false;

  constructor(parts: OutputWriterParts) {
    this.#parts = parts;
  }

  /**
   * Writes the text before it returns if the output takes it; else the text waits if there is room. Throws, with the
   * reason of the output, if there is none: then nothing of this text is ever written.
   */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    const problem = this.#writeWaiting();
    const isUntouched = this.#waiting.at(-1) === bytes;
    if (isUntouched && this.#waitingBytes > this.#parts.room) {
      this.#waiting.pop();
      this.#waitingBytes -= bytes.length;
      throw problem;
    }
    if (isUntouched) this.#joinLastTwo();
    if (this.#waiting.length > 0) this.#retryLater();
  }

  #joinLastTwo(): void {
    const [first, second] = this.#waiting.slice(-2);
    if (first === undefined || second === undefined) return;
    if (first.length + second.length > LARGEST_JOINED) return;
    this.#waiting.splice(-2, 2, Buffer.concat([first, second]));
  }

  /** For the end of the process, which it holds up by 0.5 s at most: writes what waits if the reader reads. */
  finish(): void {
    for (let left = LAST_WAIT; left > 0 && this.#waiting.length > 0; left -= LAST_RETRY) {
      this.#writeWaiting();
      if (this.#waiting.length > 0) Bun.sleepSync(LAST_RETRY);
    }
  }

  #retryLater(): void {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    const { clock, onCaughtUp } = this.#parts;
    clock.callAt(clock.now() + RETRY, () => {
      this.#isRetrying = false;
      this.#writeWaiting();
      if (this.#waiting.length > 0) this.#retryLater();
      else onCaughtUp?.();
    });
  }

  /** Writes what the output takes. Returns why something still waits. */
  #writeWaiting(): unknown {
    try {
      for (let bytes = this.#waiting[0]; bytes !== undefined; bytes = this.#waiting[0]) {
        const written = this.#parts.writeAtOnce(bytes);
        this.#waitingBytes -= written;
        if (written < bytes.length) this.#waiting[0] = bytes.subarray(written);
        else this.#waiting.shift();
      }
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
