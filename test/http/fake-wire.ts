/** A connection without a socket: what a protocol wrote and asked for can be looked at. */

import type { Bound } from "../../src/http/limits.ts";
import type { Awaited, Protocol, Wire } from "../../src/http/wire.ts";

/** `finished`: everything written is sent, then the connection closes. `cut`: it has closed at once. */
export type WireState = "open" | "finished" | "cut";

export class FakeWire implements Wire {
  remoteAddress: string | undefined = "192.0.2.1";
  /** Every call of `await`, in order. */
  readonly awaited: Awaited[] = [];
  /** The bounds that struck, in order. */
  readonly bounds: Bound[] = [];
  /** Every call of `write` whose bytes have not been taken with `take`. */
  writes: (Uint8Array | string)[] = [];
  state: WireState = "open";
  /** Bytes that the protocol says it keeps. */
  held = 0;
  /** `hold` of more bytes than this is refused. */
  holdLimit = Number.POSITIVE_INFINITY;
  /** Bytes that the peer has not taken. They grow with each write while `stalled`. */
  unsent = 0;
  /** True: the peer takes nothing. */
  stalled = false;
  #protocol: Protocol | undefined = undefined;
  #ended = false;

  /** Gives the bytes of this connection to a protocol, and returns that. */
  speak<P extends Protocol>(protocol: P): P {
    this.#protocol = protocol;
    return protocol;
  }

  /** What the peer sends, as long as the connection takes it. Text is latin1: one character for each byte. */
  send(bytes: Uint8Array | string): void {
    if (this.state !== "open") return;
    this.#protocol?.receive(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** The peer takes everything that was written, and goes on taking. */
  drain(): void {
    this.stalled = false;
    this.unsent = 0;
    if (this.state === "open") this.#protocol?.drained();
  }

  /** The connection ends, once: from outside, or after `finish` or `cut`, which do not call this themselves. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.remoteAddress = undefined;
    this.#protocol?.ended();
  }

  /** Everything written since the last call. */
  take(): Buffer {
    const written = Buffer.concat(this.writes.map((bytes) => Buffer.from(bytes)));
    this.writes = [];
    return written;
  }

  /** As `take`, as latin1: one character for each byte. */
  takeText(): string {
    return this.take().toString("latin1");
  }

  await(awaited: Awaited): void {
    this.awaited.push(awaited);
  }

  hold(bytes: number): boolean {
    this.held = bytes;
    return bytes <= this.holdLimit;
  }

  write(bytes: Uint8Array | string): void {
    if (this.state !== "open") return;
    this.writes.push(bytes);
    if (this.stalled) this.unsent += Buffer.byteLength(bytes);
  }

  finish(): void {
    if (this.state === "open") this.state = "finished";
  }

  cut(): void {
    this.state = "cut";
  }

  struck(bound: Bound): void {
    this.bounds.push(bound);
  }
}
