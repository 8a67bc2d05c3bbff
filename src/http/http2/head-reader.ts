/** Reads field blocks from HEADERS and CONTINUATION frames (RFC 9113 sections 4.3, 6.2 and 6.10). */

import { HEAD_BYTES } from "../limits.ts";
import { COMPRESSION_FAULT, type Fault, flood, FRAME_SIZE_FAULT, PROTOCOL_FAULT } from "./fault.ts";
import { FLAG, readU31 } from "./frame.ts";
import { decodeFieldBlock } from "./hpack/field-block.ts";
import type { FieldTable } from "./hpack/field-table.ts";
import { RequestHead } from "./request-head.ts";

/** CONTINUATION frames of one block. The longest block that we accept needs four, but peers may use shorter frames. */
export const CONTINUATIONS = 64;

/** Handles the heads that have been read. */
export interface HeadReceiver {
  /** Why this stream must not get HEADERS now. Undefined: it may. */
  headFault(stream: number): Fault | undefined;
  /** Whether HEADERS of this stream are trailers. */
  expectsTrailers(stream: number): boolean;
  /** A head has been read; `head` is valid during the call. `last`: the stream ends with it. */
  takeHead(stream: number, head: RequestHead, last: boolean): Fault | undefined;
}

interface OpenBlock {
  readonly stream: number;
  readonly last: boolean;
  bytes: Buffer;
  length: number;
  continuations: number;
}

/** Shared by all connections, since a block is decoded without interruption. */
const head = new RequestHead();

/** Collects the frames of a block, and decodes it when it is complete. */
export class HeadReader {
  readonly #table: FieldTable;
  readonly #receiver: HeadReceiver;
  #block: OpenBlock | undefined = undefined;

  constructor(table: FieldTable, receiver: HeadReceiver) {
    this.#table = table;
    this.#receiver = receiver;
  }

  /** The stream whose block is incomplete; 0: none is. */
  get openStream(): number {
    return this.#block?.stream ?? 0;
  }

  /** Bytes of memory in use. */
  get held(): number {
    return this.#block?.bytes.byteLength ?? 0;
  }

  /** Takes a HEADERS frame. */
  headers(
    flags: number,
    stream: number,
    bytes: Buffer,
    from: number,
    to: number,
  ): Fault | undefined {
    const fault = this.#receiver.headFault(stream);
    if (fault !== undefined) return fault;
    let start = from;
    let end = to;
    if (flags & FLAG.padded) {
      end -= bytes[start++] ?? 0;
      if (end < start) return PROTOCOL_FAULT;
    }
    if (flags & FLAG.priority) {
      if (end - start < 5) return to - from < 5 ? FRAME_SIZE_FAULT : PROTOCOL_FAULT;
      if (readU31(bytes, start) === stream) return PROTOCOL_FAULT;
      start += 5;
    }
    const last = (flags & FLAG.endStream) !== 0;
    if (flags & FLAG.endHeaders) return this.#read(stream, last, bytes, start, end);
    const copy = Buffer.from(bytes.subarray(start, end));
    this.#block = { stream, last, bytes: copy, length: copy.length, continuations: 0 };
    return undefined;
  }

  /** Takes a CONTINUATION frame. */
  continuation(
    flags: number,
    stream: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): Fault | undefined {
    const block = this.#block;
    if (block?.stream !== stream) return PROTOCOL_FAULT;
    const length = block.length + end - start;
    if (length > HEAD_BYTES) return flood("h2-header-list");
    if (++block.continuations > CONTINUATIONS) return flood("h2-continuations");
    if (length > block.bytes.length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(length, 2 * block.bytes.length));
      block.bytes.copy(wider, 0, 0, block.length);
      block.bytes = wider;
    }
    bytes.copy(block.bytes, block.length, start, end);
    block.length = length;
    if (!(flags & FLAG.endHeaders)) return undefined;
    this.#block = undefined;
    return this.#read(stream, block.last, block.bytes, 0, length);
  }

  #read(
    stream: number,
    last: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): Fault | undefined {
    head.begin(this.#receiver.expectsTrailers(stream));
    const fault = decodeFieldBlock(this.#table, bytes, start, end, head);
    if (fault === "compression") return COMPRESSION_FAULT;
    if (fault === "too-large") return flood("h2-header-list");
    return this.#receiver.takeHead(stream, head, last);
  }
}
