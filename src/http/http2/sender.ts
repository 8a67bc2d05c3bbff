/** Sends replies as fast as the peer opens its windows and reads (RFC 9113 sections 5.2 and 6.9). */

import type { BodySource, Reply } from "../message.ts";
import type { Wire } from "../wire.ts";
import type { Allowances } from "./allowances.ts";
import type { Awaiting } from "./awaiting.ts";
import {
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  frameHeader,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  writeFrameHeader,
} from "./frame.ts";
import { lengthOf, renderContinue, renderReply } from "./reply-frames.ts";
import { isSource, type Stream } from "./stream.ts";

/** The part of a reply that has not been sent. */
export interface Outgoing {
  /** Ready to be sent. */
  rest: Uint8Array;
  /** Where more comes from; undefined: `rest` is all there is. */
  readonly source: BodySource | undefined;
  /** Bytes that the source has not yet given. */
  unread: number;
  reading: boolean;
  /** The round of `Awaiting` in which we wait for the peer to take it. */
  round: number;
  /** Bytes that the peer has taken in that round. */
  taken: number;
}

/** What the sending side is made of. */
export interface SenderParts {
  readonly wire: Wire;
  readonly protocol: { readonly date: () => string };
  readonly allowances: Allowances;
  readonly awaiting: Awaiting;
}

/** Is called when a reply has ended. */
export interface SenderOwner {
  /** The reply is sent. */
  sent(stream: Stream): void;
  /** The reply can't be completed: its source failed. */
  failed(stream: Stream): void;
  /** The reply can't be completed: the peer will open no more windows. */
  stuck(stream: Stream): void;
  /** Called after a piece of a body has been read. */
  changed(): void;
}

/** No body is read while more bytes of replies wait on the connection. A piece of a body has about 50 kB. */
const READ_AHEAD_BYTES = 256 * 1024;

/** Bodies of one connection that may be read at once. */
const READS = 4;

/** A peer that takes so many bytes of a reply gets the time for replies again: 16 KiB in 60 s are 2 kbit/s. */
const RENEWAL_BYTES = 16 * 1024;

const NOTHING: Uint8Array = new Uint8Array(0);

/** The sending side of one connection. */
export class Sender {
  /** Bytes of replies that wait. */
  held = 0;
  /** Grows with every frame of a reply. */
  progress = 0;
  /** The window of new streams, set by the peer. */
  initialWindow = DEFAULT_WINDOW;
  readonly #wire: Wire;
  readonly #owner: SenderOwner;
  readonly #date: () => string;
  readonly #allowances: Allowances;
  readonly #awaiting: Awaiting;
  /** The connection's window. */
  #window = DEFAULT_WINDOW;
  #waiting: Stream[] | undefined = undefined;
  /** Bodies that are being read. */
  #reading = 0;
  #tableLimited = false;
  #windowsFinal = false;

  constructor(owner: SenderOwner, parts: SenderParts) {
    this.#owner = owner;
    this.#wire = parts.wire;
    this.#date = parts.protocol.date;
    this.#allowances = parts.allowances;
    this.#awaiting = parts.awaiting;
  }

  /** The peer allows a smaller table than the default. */
  limitTable(): void {
    this.#tableLimited = true;
  }

  /** Sends the reply: as much as possible now, the rest later. */
  send(stream: Stream, reply: Reply): void {
    const { body } = reply;
    const source = isSource(body) ? body : undefined;
    const length = lengthOf(body);
    const sends = length > 0 && !stream.isHead;
    const inline = sends && source === undefined && length <= this.#roomFor(stream);
    const head = renderReply(stream, reply, {
      date: this.#date(),
      length,
      tableLimited: this.#takeTableLimited(),
      dataBytes: inline ? length : 0,
      last: !sends,
    });
    this.progress++;
    if (inline && body !== undefined && source === undefined) {
      const at = head.byteLength - length - FRAME_HEADER_BYTES;
      writeFrameHeader(head, at, length, FRAME.data, FLAG.endStream, stream.id);
      if (typeof body === "string") head.write(body, at + FRAME_HEADER_BYTES);
      else if (body instanceof Uint8Array) head.set(body, at + FRAME_HEADER_BYTES);
      this.#take(stream, length);
    }
    this.#wire.write(head);
    if (sends && !inline) {
      this.#enqueue(stream, body, length);
      this.resume();
    } else {
      source?.close();
      this.#owner.sent(stream);
    }
  }

  /** Sends status 100. */
  sendContinue(stream: Stream): void {
    this.#wire.write(renderContinue(stream.id, this.#takeTableLimited()));
  }

  /** Widens the connection's window. False: it would be too large. */
  widen(increment: number): boolean {
    this.#window += increment;
    if (this.#window > MAX_WINDOW) return false;
    this.resume();
    return true;
  }

  /** Widens the window of a stream. False: it would be too large. */
  widenStream(stream: Stream, increment: number): boolean {
    stream.window += increment;
    if (stream.window > MAX_WINDOW) return false;
    if (stream.outgoing !== undefined) this.resume();
    return true;
  }

  /** Sets the window of new streams, and changes open ones by the difference. False: one would be too large. */
  setInitialWindow(size: number, open: readonly Stream[]): boolean {
    const difference = size - this.initialWindow;
    this.initialWindow = size;
    for (const stream of open) {
      stream.window += difference;
      if (stream.window > MAX_WINDOW) return false;
    }
    this.resume();
    return true;
  }

  /** The peer will send no more WINDOW_UPDATE. */
  windowsAreFinal(): void {
    this.#windowsFinal = true;
    this.resume();
  }

  /** Whether a reply waits for nothing but a window of the peer. */
  isRefused(stream: Stream): stream is Stream & { readonly outgoing: Outgoing } {
    const { outgoing } = stream;
    return outgoing?.reading === false && this.#roomFor(stream) <= 0;
  }

  /** Forgets what waits on a stream that has ended. */
  drop(stream: Stream): void {
    const { outgoing } = stream;
    if (outgoing === undefined) return;
    stream.outgoing = undefined;
    this.held -= outgoing.rest.byteLength;
    this.#awaiting.ends("unread", outgoing.round);
    this.#waiting?.splice(this.#waiting.lastIndexOf(stream), 1);
    // A source must not be closed while it is being read: `#read` closes it.
    if (!outgoing.reading) outgoing.source?.close();
  }

  #takeTableLimited(): boolean {
    const limited = this.#tableLimited;
    this.#tableLimited = false;
    return limited;
  }

  #roomFor(stream: Stream): number {
    return Math.min(this.#window, stream.window, MAX_FRAME_BYTES);
  }

  #take(stream: Stream, length: number): void {
    this.#window -= length;
    stream.window -= length;
    this.#allowances.sent(length);
  }

  #enqueue(stream: Stream, body: Reply["body"], length: number): void {
    const source = isSource(body) ? body : undefined;
    const rest = typeof body === "string" ? Buffer.from(body) : body;
    stream.outgoing = {
      rest: rest instanceof Uint8Array ? rest : NOTHING,
      source,
      unread: source === undefined ? 0 : length,
      reading: false,
      round: this.#awaiting.begins("unread"),
      taken: 0,
    };
    this.held += stream.outgoing.rest.byteLength;
    this.#waiting ??= [];
    this.#waiting.push(stream);
  }

  /** Lets each waiting stream send a frame, in turn, until none can. */
  resume(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    for (let idle = 0; idle < waiting.length;) {
      const stream = waiting.shift();
      if (stream === undefined) return;
      waiting.push(stream);
      idle = this.#step(stream) ? 0 : idle + 1;
    }
  }

  /** Sends one frame. Returns true if it was sent, or if the stream has ended instead. */
  #step(stream: Stream): boolean {
    const { outgoing } = stream;
    if (outgoing === undefined || outgoing.reading || this.#wire.unsent > 0) return false;
    const room = this.#roomFor(stream);
    if (room <= 0) {
      if (this.#windowsFinal) this.#owner.stuck(stream);
      return this.#windowsFinal;
    }
    if (outgoing.rest.byteLength === 0) {
      if (outgoing.source !== undefined && this.held < READ_AHEAD_BYTES && this.#reading < READS) {
        void this.#read(stream, outgoing, outgoing.source);
      }
      return false;
    }
    const piece = outgoing.rest.subarray(0, room);
    outgoing.rest = outgoing.rest.subarray(piece.byteLength);
    this.held -= piece.byteLength;
    this.#take(stream, piece.byteLength);
    const last = outgoing.rest.byteLength === 0 && outgoing.unread === 0;
    const flags = last ? FLAG.endStream : 0;
    this.#wire.write(frameHeader(piece.byteLength, FRAME.data, flags, stream.id));
    this.#wire.write(piece);
    this.progress++;
    if (last) {
      this.drop(stream);
      this.#owner.sent(stream);
    } else {
      this.#renew(outgoing, piece.byteLength);
    }
    return true;
  }

  #renew(outgoing: Outgoing, bytes: number): void {
    outgoing.taken += bytes;
    if (outgoing.taken < RENEWAL_BYTES) return;
    outgoing.taken = 0;
    this.#awaiting.ends("unread", outgoing.round);
    outgoing.round = this.#awaiting.begins("unread");
  }

  async #read(stream: Stream, outgoing: Outgoing, source: BodySource): Promise<void> {
    outgoing.reading = true;
    this.#reading++;
    let piece = NOTHING;
    try {
      piece = await source.read();
    } catch {
      // The reply is broken off, as after an empty piece.
    }
    outgoing.reading = false;
    this.#reading--;
    if (stream.outgoing === outgoing) {
      outgoing.unread -= piece.byteLength;
      outgoing.rest = piece;
      this.held += piece.byteLength;
      if (piece.byteLength === 0 || outgoing.unread < 0) this.#owner.failed(stream);
    } else {
      source.close();
    }
    this.resume();
    this.#owner.changed();
  }
}
