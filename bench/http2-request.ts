/** Encodes the requests of HTTP/2 peers: with the static table alone, so that each costs the generator next to nothing. */

import { FLAG, FRAME, FRAME_HEADER_BYTES, writeFrameHeader } from "../src/http/http2/frame.ts";
import { STATIC_TABLE } from "../src/http/http2/hpack/static-table.ts";

/** Longest string whose length takes one byte (RFC 7541 section 5.2). */
const SHORT_TEXT = 126;
/** An entry of the static table as it is. */
const INDEXED = 0x80;
/** Largest index of a name that takes one byte in a field that no table is to keep. */
const SHORT_INDEX = 14;

/** The part of a head that is the same for all requests of a path; the value of X-Forwarded-For follows. */
const beginnings = new Map<string, Buffer>();
const CONTENT_LENGTH: Buffer = Buffer.from(encodeName("content-length"));

/** A whole `POST` with an ASCII body: HEADERS, and DATA unless the body is empty. */
export function encodePost(
  stream: number,
  authority: string,
  path: string,
  body: string,
  forwardedFor: string,
): Buffer {
  const beginning = beginningOf(authority, path);
  const digits = String(body.length);
  const valueBytes = 1 + forwardedFor.length + CONTENT_LENGTH.length + 1 + digits.length;
  const headBytes = beginning.length + valueBytes;
  const dataBytes = body === "" ? 0 : FRAME_HEADER_BYTES + body.length;
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + headBytes + dataBytes);
  const flags = FLAG.endHeaders | (body === "" ? FLAG.endStream : 0);
  let at = writeFrameHeader(bytes, 0, headBytes, FRAME.headers, flags, stream);
  at += beginning.copy(bytes, at);
  at = writeText(bytes, at, forwardedFor);
  at += CONTENT_LENGTH.copy(bytes, at);
  at = writeText(bytes, at, digits);
  if (body !== "") {
    at = writeFrameHeader(bytes, at, body.length, FRAME.data, FLAG.endStream, stream);
    bytes.write(body, at, "latin1");
  }
  return bytes;
}

function beginningOf(authority: string, path: string): Buffer {
  const key = `${authority} ${path}`;
  const before = beginnings.get(key);
  if (before !== undefined) return before;
  const made = Buffer.from([
    ...encodeField(":method", "POST"),
    ...encodeField(":scheme", "https"),
    ...encodeField(":path", path),
    ...encodeField(":authority", authority),
    ...encodeField("user-agent", "Go-http-client/2.0"),
    ...encodeField("accept-encoding", "gzip, deflate"),
    ...encodeName("x-forwarded-for"),
  ]);
  beginnings.set(key, made);
  return made;
}

/** An entry of the static table, or a field that no table is to keep. */
function encodeField(name: string, value: string): number[] {
  const whole = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value);
  if (whole >= 0) return [INDEXED | (whole + 1)];
  return [...encodeName(name), ...encodeText(value)];
}

/** The beginning of a field that no table is to keep (RFC 7541 section 6.2.2). */
function encodeName(name: string): number[] {
  const index = STATIC_TABLE.findIndex((entry) => entry[0] === name) + 1;
  if (index === 0) return [0, ...encodeText(name)];
  return index <= SHORT_INDEX ? [index] : [SHORT_INDEX + 1, index - SHORT_INDEX - 1];
}

function encodeText(text: string): number[] {
  const bytes = Buffer.allocUnsafe(1 + text.length);
  writeText(bytes, 0, text);
  return [...bytes];
}

/** Writes a string without Huffman code at `at`, and returns where it ends. */
function writeText(bytes: Buffer, at: number, text: string): number {
  if (text.length > SHORT_TEXT) throw new Error("a header field longer than the generator sends");
  bytes[at] = text.length;
  return at + 1 + bytes.write(text, at + 1, "latin1");
}
