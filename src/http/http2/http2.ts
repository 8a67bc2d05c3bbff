/** HTTP/2, server side (RFC 9113). */

import { BODY_BYTES, HEAD_BYTES } from "../limits.ts";
import type { ProtocolParts } from "../server-parts.ts";
import type { Awaited, Protocol, Wire } from "../wire.ts";
import { Allowances } from "./allowances.ts";
import { Awaiting } from "./awaiting.ts";
import { ControlFrames } from "./control-frames.ts";
import { Exchanges, type ExchangesOwner } from "./exchanges.ts";
import { type Fault, flood, FRAME_SIZE_FAULT, PROTOCOL_FAULT } from "./fault.ts";
import { FrameReader, type FrameReceiver } from "./frame-reader.ts";
import {
  DEFAULT_WINDOW,
  ERROR,
  FLAG,
  FRAME,
  goAwayFrame,
  SETTING,
  settingsFrame,
  windowUpdateFrame,
} from "./frame.ts";
import { HeadReader } from "./head-reader.ts";
import { FIELD_TABLE_BYTES, FieldTable } from "./hpack/field-table.ts";
import { namesFor } from "./hpack/field.ts";
import { MAX_STREAMS } from "./stream-list.ts";
import { STREAM_WINDOW, Streams } from "./streams.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Bytes of the connection's window. What arrives is taken at once, so the window only has to cover the way. */
const CONNECTION_WINDOW = 1024 * 1024;

/** Bytes of unfinished requests and unsent replies that one connection may keep: forty of the longest bodies. */
const CONNECTION_HELD_BYTES = 40 * BODY_BYTES;

/** Our first frames. SETTINGS do not change the connection's window, so a WINDOW_UPDATE follows. */
const GREETING = Buffer.concat([
  settingsFrame([
    [SETTING.headerTableSize, FIELD_TABLE_BYTES],
    [SETTING.enablePush, 0],
    [SETTING.maxConcurrentStreams, MAX_STREAMS],
    [SETTING.initialWindowSize, STREAM_WINDOW],
    [SETTING.maxHeaderListSize, HEAD_BYTES],
  ]),
  windowUpdateFrame(0, CONNECTION_WINDOW - DEFAULT_WINDOW),
]);

/** One connection that speaks HTTP/2. It writes its SETTINGS when it is made. */
export class Http2 implements Protocol, FrameReceiver, ExchangesOwner {
  readonly #wire: Wire;
  readonly #reader = new FrameReader();
  readonly #awaiting: Awaiting;
  readonly #exchanges: Exchanges;
  readonly #streams: Streams;
  readonly #control: ControlFrames;
  readonly #heads: HeadReader;
  #over = false;
  /** Bytes of the preface that have arrived. */
  #prefaceBytes = 0;
  /** Whether the peer's first SETTINGS have arrived. */
  #settled = false;
  #receiving = false;
  /** Frames received so far. */
  #frames = 0;
  /** Bytes of DATA since our last WINDOW_UPDATE of the connection. */
  #windowUsed = 0;
  #held = 0;

  constructor(wire: Wire, parts: ProtocolParts) {
    const allowances = new Allowances();
    this.#wire = wire;
    this.#awaiting = new Awaiting(wire);
    this.#exchanges = new Exchanges({
      wire,
      protocol: parts,
      allowances,
      awaiting: this.#awaiting,
      owner: this,
    });
    this.#streams = new Streams(this.#exchanges, wire, allowances);
    this.#control = new ControlFrames(wire, allowances, this.#streams);
    this.#heads = new HeadReader(new FieldTable(namesFor(parts.fields)), this.#streams);
    wire.write(GREETING);
    this.changed();
  }

  receive(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#receiving = true;
    const rest = this.#readPreface(bytes);
    if (rest !== undefined) this.#reader.push(asBuffer(rest), this);
    this.#receiving = false;
    this.changed();
  }

  receivedEnd(): void {
    if (this.#over) return;
    this.#streams.leaving = true;
    this.#exchanges.peerEnded();
    this.changed();
  }

  drained(): void {
    if (this.#over) return;
    this.#exchanges.sender.resume();
    this.changed();
  }

  timedOut(awaited: Exclude<Awaited, "reply">): void {
    if (this.#over) return;
    if (awaited === "body" || awaited === "unread") {
      this.#exchanges.delaysTimedOut();
      this.changed();
    } else {
      this.#end({ code: ERROR.none });
    }
  }

  ended(): void {
    this.#over = true;
    this.#exchanges.abortAll();
  }

  retire(): void {
    if (!this.#over) this.#control.leave();
  }

  frame(
    type: number,
    flags: number,
    stream: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean {
    this.#frames++;
    const fault = this.#takeFrame(type, flags, stream, bytes, start, end);
    if (fault !== undefined) this.#end(fault);
    return !this.#over;
  }

  frameTooLong(): void {
    this.#end(FRAME_SIZE_FAULT);
  }

  #takeFrame(
    type: number,
    flags: number,
    stream: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): Fault | undefined {
    if (!this.#settled) {
      if (type !== FRAME.settings || flags & FLAG.ack) return PROTOCOL_FAULT;
      this.#settled = true;
    }
    if (this.#heads.openStream !== 0 && type !== FRAME.continuation) return PROTOCOL_FAULT;
    switch (type) {
      case FRAME.data:
        this.#widen(end - start);
        return this.#streams.data(flags, stream, bytes, start, end);
      case FRAME.headers:
        return this.#heads.headers(flags, stream, bytes, start, end);
      case FRAME.continuation:
        return this.#heads.continuation(flags, stream, bytes, start, end);
      case FRAME.pushPromise:
        return PROTOCOL_FAULT;
      case FRAME.rstStream:
        if (end - start !== 4) return FRAME_SIZE_FAULT;
        return this.#streams.resetByPeer(stream);
      default:
        return this.#control.take(type, flags, stream, bytes.subarray(start, end));
    }
  }

  /** The bytes after the preface. Undefined: it is wrong, and the connection has ended. */
  #readPreface(bytes: Uint8Array): Uint8Array | undefined {
    const before = this.#prefaceBytes;
    if (before === PREFACE.length) return bytes;
    const length = Math.min(bytes.length, PREFACE.length - before);
    if (PREFACE.compare(bytes, 0, length, before, before + length) !== 0) {
      this.#end(PROTOCOL_FAULT);
      return undefined;
    }
    this.#prefaceBytes += length;
    return bytes.subarray(length);
  }

  /** Gives the peer the used part of the connection's window again, once it is half of the window. */
  #widen(used: number): void {
    this.#windowUsed += used;
    if (this.#windowUsed < CONNECTION_WINDOW / 2) return;
    this.#wire.write(windowUpdateFrame(0, this.#windowUsed));
    this.#windowUsed = 0;
  }

  /** Tells the wire what is kept and awaited now, and ends the connection if it is done. */
  changed(): void {
    if (this.#over || this.#receiving) return;
    const { list, sender, isReplying } = this.#exchanges;
    if (this.#streams.leaving && list.open.length === 0) {
      this.#over = true;
      this.#wire.finish();
      return;
    }
    const held = this.#reader.held + this.#heads.held + this.#exchanges.held + sender.held;
    if (held !== this.#held) {
      this.#held = held;
      if (held > CONNECTION_HELD_BYTES) return this.#end(flood("held-bytes"));
      // The wire counts that bound itself.
      if (!this.#wire.hold(held)) return this.#end({ code: ERROR.enhanceYourCalm });
    }
    this.#awaiting.update(list.lastId, this.#partial(), isReplying, sender.progress);
  }

  /** Identifies the preface, block or frame that is incomplete. 0: none is. */
  #partial(): number {
    if (!this.#settled) return -1;
    const { openStream } = this.#heads;
    if (openStream !== 0) return -1 - openStream;
    return this.#reader.midFrame ? this.#frames : 0;
  }

  #end({ code, bound }: Fault): void {
    if (this.#over) return;
    this.#over = true;
    if (bound !== undefined) this.#wire.struck(bound);
    this.#wire.write(goAwayFrame(this.#streams.lastTaken, code));
    this.#wire.finish();
    this.#exchanges.abortAll();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
