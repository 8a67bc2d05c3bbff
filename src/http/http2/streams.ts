/** Handles the peer's frames of streams, by the states of the streams (RFC 9113 sections 5.1, 6 and 8). */

import type { ReplyHead } from "../message.ts";
import type { Wire } from "../wire.ts";
import type { Allowances } from "./allowances.ts";
import type { Exchanges } from "./exchanges.ts";
import {
  type Fault,
  flood,
  FLOW_CONTROL_FAULT,
  PROTOCOL_FAULT,
  STREAM_CLOSED_FAULT,
} from "./fault.ts";
import { ERROR, type ErrorCode, FLAG, windowUpdateFrame } from "./frame.ts";
import type { HeadReceiver } from "./head-reader.ts";
import { IncomingRequest } from "./incoming-request.ts";
import type { RequestHead } from "./request-head.ts";
import { MAX_STREAMS, type StreamList } from "./stream-list.ts";
import { Stream } from "./stream.ts";

/** Bytes of each stream's window: more than `BODY_BYTES`, so that no legal body has to wait for a WINDOW_UPDATE. */
export const STREAM_WINDOW = 128 * 1024;

const HEAD_TOO_LARGE: ReplyHead = { status: 431, fields: [] };
const NOTHING = new Uint8Array(0);

/** The receiving side of the streams of one connection. */
export class Streams implements HeadReceiver {
  /** The last stream that was not refused because of `leaving`. This is what GOAWAY names. */
  lastTaken = 0;
  /** New streams are ignored: our GOAWAY has told the peer which is the last. */
  leaving = false;
  readonly exchanges: Exchanges;
  readonly #wire: Wire;
  readonly #allowances: Allowances;
  readonly #list: StreamList;

  constructor(exchanges: Exchanges, wire: Wire, allowances: Allowances) {
    this.exchanges = exchanges;
    this.#wire = wire;
    this.#allowances = allowances;
    this.#list = exchanges.list;
  }

  headFault(id: number): Fault | undefined {
    if (id % 2 === 0) return PROTOCOL_FAULT;
    if (this.#list.isIdle(id)) return undefined;
    const stream = this.#list.find(id);
    if (stream === undefined ? this.#list.wasEndedEarly(id) : !stream.peerEnded) return undefined;
    return stream !== undefined || id === this.#list.lastId ? STREAM_CLOSED_FAULT : PROTOCOL_FAULT;
  }

  expectsTrailers(id: number): boolean {
    return !this.#list.isIdle(id);
  }

  takeHead(id: number, head: RequestHead, last: boolean): Fault | undefined {
    if (this.#list.isIdle(id)) return this.#takeNew(id, head, last);
    const stream = this.#list.find(id);
    if (stream === undefined) {
      if (last) this.#list.peerEnded(id);
      return undefined;
    }
    if (!last || head.fault !== undefined) return this.#reset(stream, ERROR.protocol);
    return this.#takeBody(stream, NOTHING, 0, 0, true);
  }

  /** Takes DATA. */
  data(flags: number, id: number, bytes: Uint8Array, from: number, to: number): Fault | undefined {
    if (this.#list.isIdle(id)) return PROTOCOL_FAULT;
    let start = from;
    let end = to;
    if (flags & FLAG.padded) {
      end -= bytes[start++] ?? 0;
      if (end < start) return PROTOCOL_FAULT;
    }
    const last = (flags & FLAG.endStream) !== 0;
    if (start === end && !last && !this.#allowances.spend("h2-empty-frames")) {
      return flood("h2-empty-frames");
    }
    const stream = this.#list.find(id);
    if (stream === undefined) {
      if (!this.#list.wasEndedEarly(id)) return this.#sendReset(id, ERROR.streamClosed);
      if (last) this.#list.peerEnded(id);
      return undefined;
    }
    if (stream.peerEnded) return this.#reset(stream, ERROR.streamClosed);
    const fault = this.#takeBody(stream, bytes, start, end, last);
    if (stream.request !== undefined) this.#widen(stream.id, stream.request, to - from);
    return fault;
  }

  /** Takes RST_STREAM. */
  resetByPeer(id: number): Fault | undefined {
    if (this.#list.isIdle(id)) return PROTOCOL_FAULT;
    const stream = this.#list.find(id);
    const allowed = stream === undefined ? "h2-control-frames" : "h2-resets";
    if (!this.#allowances.spend(allowed)) return flood(allowed);
    if (stream === undefined) this.#list.peerEnded(id);
    else this.exchanges.abort(stream);
    return undefined;
  }

  /** Takes WINDOW_UPDATE of a stream. */
  widenByPeer(id: number, increment: number): Fault | undefined {
    if (this.#list.isIdle(id)) return PROTOCOL_FAULT;
    const stream = this.#list.find(id);
    if (stream === undefined) return undefined;
    if (increment === 0) return this.#reset(stream, ERROR.protocol);
    if (this.exchanges.sender.widenStream(stream, increment)) return undefined;
    return this.#reset(stream, ERROR.flowControl);
  }

  /** Takes the peer's INITIAL_WINDOW_SIZE. */
  setInitialWindow(size: number): Fault | undefined {
    return this.exchanges.sender.setInitialWindow(size, this.#list.open)
      ? undefined
      : FLOW_CONTROL_FAULT;
  }

  #takeNew(id: number, head: RequestHead, last: boolean): Fault | undefined {
    this.#list.lastId = id;
    if (this.leaving) {
      this.#list.endEarly(id);
      return this.#allowances.spend("h2-resets") ? undefined : flood("h2-resets");
    }
    this.lastTaken = id;
    if (this.#list.open.length >= MAX_STREAMS) {
      this.#wire.struck("h2-streams");
      return this.#sendReset(id, ERROR.refusedStream);
    }
    const { fault, method } = head;
    if (fault === "malformed") return this.#sendReset(id, ERROR.protocol);
    const { exchanges } = this;
    const stream = new Stream(
      exchanges,
      id,
      exchanges.sender.initialWindow,
      method === "HEAD",
      last,
    );
    this.#list.open.push(stream);
    if (fault !== undefined) {
      this.#wire.struck(fault);
      this.exchanges.refuse(stream, { head: HEAD_TOO_LARGE, body: undefined });
      return undefined;
    }
    const request = new IncomingRequest(head);
    this.exchanges.begin(stream, request);
    if (method === "CONNECT") this.exchanges.hand(stream);
    else if (last) return this.#takeBody(stream, NOTHING, 0, 0, true);
    else if (head.expectsContinue) this.exchanges.sender.sendContinue(stream);
    return undefined;
  }

  #takeBody(
    stream: Stream,
    bytes: Uint8Array,
    start: number,
    end: number,
    last: boolean,
  ): Fault | undefined {
    stream.peerEnded = last;
    const { request } = stream;
    // The handler has been called without the whole body, so the rest is dropped.
    if (request === undefined) return undefined;
    const state = this.exchanges.append(request, bytes, start, end, last);
    if (state === "malformed") return this.#reset(stream, ERROR.protocol);
    if (state === "too-long") this.exchanges.handTooLong(stream);
    else if (state === "whole") this.exchanges.hand(stream);
    return undefined;
  }

  /** Gives the peer the used part of the stream's window again, once it is half of the window. */
  #widen(id: number, request: IncomingRequest, used: number): void {
    request.windowUsed += used;
    if (request.windowUsed < STREAM_WINDOW / 2) return;
    this.#wire.write(windowUpdateFrame(id, request.windowUsed));
    request.windowUsed = 0;
  }

  #reset(stream: Stream, code: ErrorCode): Fault | undefined {
    this.exchanges.abort(stream);
    return this.#sendReset(stream.id, code);
  }

  /** Ends a stream because of an error of the peer. */
  #sendReset(id: number, code: ErrorCode): Fault | undefined {
    this.exchanges.writeReset(id, code);
    return this.#allowances.spend("h2-resets") ? undefined : flood("h2-resets");
  }
}
