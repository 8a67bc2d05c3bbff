/** SETTINGS, PING, GOAWAY, WINDOW_UPDATE and PRIORITY (RFC 9113 section 6). */

import type { Wire } from "../wire.ts";
import type { Allowances } from "./allowances.ts";
import {
  type Fault,
  flood,
  FLOW_CONTROL_FAULT,
  FRAME_SIZE_FAULT,
  PROTOCOL_FAULT,
} from "./fault.ts";
import {
  ERROR,
  FLAG,
  FRAME,
  goAwayFrame,
  MAX_FRAME_BYTES,
  MAX_FRAME_SIZE,
  MAX_WINDOW,
  pingFrame,
  readU31,
  readU32,
  SETTING,
  SETTINGS_ACK,
} from "./frame.ts";
import { FIELD_TABLE_BYTES } from "./hpack/field-table.ts";
import type { Streams } from "./streams.ts";

/** The PING after our first GOAWAY. The peer's answer shows that it has seen the GOAWAY. */
const LEAVING_PING = Buffer.from("leaving?");

/** Handles the frames of one connection that are not about requests. */
export class ControlFrames {
  readonly #wire: Wire;
  readonly #allowances: Allowances;
  readonly #streams: Streams;
  /** Whether the first GOAWAY is sent, and its PING not answered. */
  #asked = false;

  constructor(wire: Wire, allowances: Allowances, streams: Streams) {
    this.#wire = wire;
    this.#allowances = allowances;
    this.#streams = streams;
  }

  /** Asks the peer to open no more streams. Streams that it opens before it answers are still served. */
  leave(): void {
    if (this.#asked || this.#streams.leaving) return;
    this.#asked = true;
    this.#wire.write(goAwayFrame(MAX_WINDOW, ERROR.none));
    this.#wire.write(pingFrame(0, LEAVING_PING));
  }

  /** Takes any frame but DATA, HEADERS, CONTINUATION, RST_STREAM and PUSH_PROMISE. */
  take(type: number, flags: number, stream: number, payload: Buffer): Fault | undefined {
    if (!this.#allowances.spend("h2-control-frames")) return flood("h2-control-frames");
    switch (type) {
      case FRAME.priority:
        if (stream === 0) return PROTOCOL_FAULT;
        if (payload.length !== 5) return FRAME_SIZE_FAULT;
        return readU31(payload, 0) === stream ? PROTOCOL_FAULT : undefined;
      case FRAME.settings:
        return stream === 0 ? this.#takeSettings(flags, payload) : PROTOCOL_FAULT;
      case FRAME.ping:
        return stream === 0 ? this.#takePing(flags, payload) : PROTOCOL_FAULT;
      case FRAME.goAway:
        // GOAWAY of a client forbids pushes, and we send none. The client closes the connection itself.
        if (stream !== 0) return PROTOCOL_FAULT;
        return payload.length < 8 ? FRAME_SIZE_FAULT : undefined;
      case FRAME.windowUpdate:
        return this.#takeWindowUpdate(stream, payload);
      default:
        return undefined;
    }
  }

  #takeSettings(flags: number, payload: Buffer): Fault | undefined {
    if (flags & FLAG.ack) return payload.length === 0 ? undefined : FRAME_SIZE_FAULT;
    if (payload.length % 6 !== 0) return FRAME_SIZE_FAULT;
    let initialWindow: number | undefined;
    for (let at = 0; at < payload.length; at += 6) {
      const id = ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0);
      const value = readU32(payload, at + 2);
      if (id === SETTING.enablePush && value > 1) return PROTOCOL_FAULT;
      if (id === SETTING.maxFrameSize && (value < MAX_FRAME_BYTES || value > MAX_FRAME_SIZE)) {
        return PROTOCOL_FAULT;
      }
      if (id === SETTING.headerTableSize && value < FIELD_TABLE_BYTES) {
        this.#streams.exchanges.sender.limitTable();
      }
      if (id !== SETTING.initialWindowSize) continue;
      if (value > MAX_WINDOW) return FLOW_CONTROL_FAULT;
      initialWindow = value;
    }
    this.#wire.write(SETTINGS_ACK);
    // Only the last one is applied, because applying each to 250 streams would be expensive.
    return initialWindow === undefined ? undefined : this.#streams.setInitialWindow(initialWindow);
  }

  #takePing(flags: number, payload: Buffer): Fault | undefined {
    if (payload.length !== 8) return FRAME_SIZE_FAULT;
    if (!(flags & FLAG.ack)) {
      this.#wire.write(pingFrame(FLAG.ack, payload));
    } else if (this.#asked && payload.equals(LEAVING_PING)) {
      this.#asked = false;
      this.#streams.leaving = true;
      this.#wire.write(goAwayFrame(this.#streams.lastTaken, ERROR.none));
    }
    return undefined;
  }

  #takeWindowUpdate(stream: number, payload: Buffer): Fault | undefined {
    if (payload.length !== 4) return FRAME_SIZE_FAULT;
    const increment = readU31(payload, 0);
    if (stream !== 0) return this.#streams.widenByPeer(stream, increment);
    if (increment === 0) return PROTOCOL_FAULT;
    return this.#streams.exchanges.sender.widen(increment) ? undefined : FLOW_CONTROL_FAULT;
  }
}
