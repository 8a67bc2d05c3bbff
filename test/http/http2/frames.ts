/** Frames as a plain client would write and read them: slow, obvious, and sharing no code with the server. */

import { STATIC_TABLE } from "../../../src/http/http2/hpack/static-table.ts";

export const TYPES = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
] as const;

export type FrameType = (typeof TYPES)[number];

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITY = 0x20;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export interface Frame {
  readonly type: FrameType;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export type FieldList = readonly (readonly [name: string, value: string])[];

export function frame(
  type: FrameType | number,
  flags: number,
  stream: number,
  payload: Uint8Array | readonly number[] | string = [],
): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload) : Buffer.from(payload);
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header[3] = typeof type === "number" ? type : TYPES.indexOf(type);
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, body]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function settings(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const parts = entries.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), u32(value)]));
  return frame("SETTINGS", 0, 0, Buffer.concat(parts));
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame("WINDOW_UPDATE", 0, stream, u32(increment));
}

export function reset(stream: number, code = 8): Buffer {
  return frame("RST_STREAM", 0, stream, u32(code));
}

export function ping(payload = "12345678", flags = 0): Buffer {
  return frame("PING", flags, 0, payload);
}

/** A block of literal fields that no table takes up. */
export function block(fields: FieldList): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([Buffer.from(integer(bytes.length, 7)), bytes]);
}

/** As RFC 7541 section 5.1 has it, with no other bits in the first byte. */
export function integer(value: number, bits: number): number[] {
  const most = 2 ** bits - 1;
  if (value < most) return [value];
  const bytes = [most];
  let rest = value - most;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

export const GET: FieldList = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "a.example"],
];

export const POST: FieldList = [[":method", "POST"], ...GET.slice(1)];

/** A whole head. */
export function headers(stream: number, fields: FieldList, flags = END_STREAM): Buffer {
  return frame("HEADERS", flags | END_HEADERS, stream, block(fields));
}

export function data(stream: number, payload: Uint8Array | string, flags = END_STREAM): Buffer {
  return frame("DATA", flags, stream, payload);
}

/** The frames that the bytes are. Throws if they are none. */
export function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    const type = TYPES[bytes.readUInt8(at + 3)];
    if (type === undefined || end > bytes.length) throw new Error("no frame");
    const flags = bytes.readUInt8(at + 4);
    const stream = bytes.readUInt32BE(at + 5);
    frames.push({ type, flags, stream, payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return frames;
}

/** Reads a block that uses no table but the static one, and no Huffman code. */
export function readBlock(bytes: Buffer): [name: string, value: string][] {
  const fields: [string, string][] = [];
  let at = 0;
  const number = (bits: number) => {
    const most = 2 ** bits - 1;
    let value = bytes.readUInt8(at++) & most;
    if (value < most) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const string = () => {
    if (bytes.readUInt8(at) >= 128) throw new Error("Huffman");
    const length = number(7);
    at += length;
    return bytes.toString("latin1", at - length, at);
  };
  const entry = (index: number) => {
    const found = STATIC_TABLE[index - 1];
    if (found === undefined) throw new Error("dynamic");
    return found;
  };
  while (at < bytes.length) {
    const first = bytes.readUInt8(at);
    if (first >= 128) {
      const [name, value] = entry(number(7));
      fields.push([name, value]);
    } else if (first >= 64) {
      throw new Error("the server uses a dynamic table");
    } else if (first >= 32) {
      fields.push(["table size", String(number(5))]);
    } else {
      const index = number(4);
      fields.push([index === 0 ? string() : entry(index)[0], string()]);
    }
  }
  return fields;
}
