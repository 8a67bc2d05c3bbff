/** Replies as frames. */

import type { Reply } from "../message.ts";
import {
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  frameHeader,
  MAX_FRAME_BYTES,
  writeFrameHeader,
} from "./frame.ts";
import { lengthBytes, renderDate, renderHead, writeLength } from "./reply-head.ts";

/** Sets our encoder's table to 0 bytes, as RFC 7541 section 4.2 requires when the peer allows less than the default. */
const EMPTY_TABLE = 0x20;

/** The field block `:status: 100`. */
const CONTINUE = [0x08, 3, 0x31, 0x30, 0x30];

/** What `renderReply` needs beside the reply. */
export interface RenderParts {
  readonly date: string;
  /** Bytes of the body, whether they are sent or not. */
  readonly length: number;
  /** Whether the peer has to be told that we use no table. */
  readonly tableLimited: boolean;
  /** Bytes of DATA that the caller adds: room is left for them and their frame header. */
  readonly dataBytes: number;
  /** Whether the head ends the stream. */
  readonly last: boolean;
}

/** The head of a reply, in one HEADERS frame or as many frames as it needs. */
export function renderReply(
  stream: { readonly id: number; readonly isHead: boolean },
  reply: Reply,
  { date, length, tableLimited, dataBytes, last }: RenderParts,
): Buffer {
  const { status } = reply.head;
  const head = renderHead(reply.head);
  const dateField = renderDate(date);
  // These have no length (RFC 9110 section 8.6). HEAD without a body has none either, as in the reference.
  const told = status !== 204 && status !== 304 && !(reply.body === undefined && stream.isHead);
  const digits = told ? String(length) : "";
  const blockBytes =
    (tableLimited ? 1 : 0) + head.length + dateField.length + (told ? lengthBytes(digits) : 0);
  const room = dataBytes === 0 ? 0 : FRAME_HEADER_BYTES + dataBytes;
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + blockBytes + room);
  let at = FRAME_HEADER_BYTES;
  if (tableLimited) bytes[at++] = EMPTY_TABLE;
  bytes.set(head, at);
  at += head.length;
  bytes.set(dateField, at);
  if (told) writeLength(bytes, at + dateField.length, digits);
  const flags = last ? FLAG.endStream : 0;
  if (blockBytes > MAX_FRAME_BYTES) return splitHead(bytes, blockBytes, flags, stream.id);
  writeFrameHeader(bytes, 0, blockBytes, FRAME.headers, flags | FLAG.endHeaders, stream.id);
  return bytes;
}

/** Status 100, which asks the peer for its body. */
export function renderContinue(stream: number, tableLimited: boolean): Uint8Array {
  const block = tableLimited ? [EMPTY_TABLE, ...CONTINUE] : CONTINUE;
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + block.length);
  bytes.set(
    block,
    writeFrameHeader(bytes, 0, block.length, FRAME.headers, FLAG.endHeaders, stream),
  );
  return bytes;
}

/** Bytes of a body; 0 if there is none. */
export function lengthOf(body: Reply["body"]): number {
  if (body === undefined) return 0;
  if (typeof body === "string") return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : body.length;
}

/** Splits a head that is too long for one frame. What follows the head in `bytes` is kept. */
function splitHead(bytes: Buffer, blockBytes: number, flags: number, stream: number): Buffer {
  const end = FRAME_HEADER_BYTES + blockBytes;
  const pieces: Uint8Array[] = [];
  for (let at = FRAME_HEADER_BYTES; at < end; at += MAX_FRAME_BYTES) {
    const next = Math.min(end, at + MAX_FRAME_BYTES);
    const first = at === FRAME_HEADER_BYTES;
    const type = first ? FRAME.headers : FRAME.continuation;
    const all = (first ? flags : 0) | (next === end ? FLAG.endHeaders : 0);
    pieces.push(frameHeader(next - at, type, all, stream), bytes.subarray(at, next));
  }
  return Buffer.concat([...pieces, bytes.subarray(end)]);
}
