/** Decodes field blocks (RFC 7541 sections 5 and 6). */

import type { FieldTable } from "./field-table.ts";
import { type Field, type FieldName, readField } from "./field.ts";
import { decodeHuffman, mostDecoded } from "./huffman.ts";

/** Receives the fields of a block, in order. */
export interface FieldSink {
  /** False: no more are wanted. */
  field(field: Field): boolean;
}

/** The block is wrong, or the sink refused a field. The tables of both sides may differ now: decode nothing more. */
export type BlockFault = "compression" | "too-large";

/** Table size updates at the start of a block: at most two are ever needed (RFC 7541 section 4.2). */
const SIZE_UPDATES = 2;

/** The last string that had a Huffman code, decoded. */
let decoded = Buffer.allocUnsafeSlow(4096);

/** Decodes the block from `start` up to `end`. Undefined: the block is right. */
export function decodeFieldBlock(
  table: FieldTable,
  block: Buffer,
  start: number,
  end: number,
  sink: FieldSink,
): BlockFault | undefined {
  cursor.bytes = block;
  cursor.at = start;
  cursor.end = end;
  let updates = SIZE_UPDATES;
  while (cursor.at < end) {
    const first = block[cursor.at] ?? 0;
    if ((first & 0xe0) === 0x20) {
      const size = readInteger(5);
      if (updates === 0 || size < 0 || !table.limitTo(size)) return "compression";
      updates--;
      continue;
    }
    updates = 0;
    const field = first >= 0x80 ? table.at(readInteger(7)) : readLiteral(table, first);
    if (field === undefined) return "compression";
    if (!sink.field(field)) return "too-large";
  }
  return undefined;
}

function readLiteral(table: FieldTable, first: number): Field | undefined {
  const indexed = (first & 0xc0) === 0x40;
  const index = readInteger(indexed ? 6 : 4);
  let name: FieldName | undefined;
  if (index === 0)
    name = readString() ? table.names.read(text.bytes, text.start, text.end) : undefined;
  else name = table.at(index)?.name;
  if (name === undefined || !readString()) return undefined;
  const field = readField(name, text.bytes, text.start, text.end);
  if (indexed) table.add(field);
  return field;
}

/** The block that is being decoded, and the position in it. */
const cursor: { bytes: Buffer; at: number; end: number } = { bytes: decoded, at: 0, end: 0 };

/** Where the last string is. */
const text: { bytes: Buffer; start: number; end: number } = { bytes: decoded, start: 0, end: 0 };

/** Reads an integer with a prefix of so many bits. -1: it is incomplete, or too large. */
function readInteger(bits: number): number {
  const { bytes, end } = cursor;
  const most = (1 << bits) - 1;
  let value = (bytes[cursor.at++] ?? 0) & most;
  if (value < most) return value;
  for (let shift = 0; shift < 28; shift += 7) {
    if (cursor.at >= end) return -1;
    const byte = bytes[cursor.at++] ?? 0;
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return -1;
}

/** Reads a string into `text`. False: it is incomplete, or its Huffman code is wrong. */
function readString(): boolean {
  if (cursor.at >= cursor.end) return false;
  const { bytes } = cursor;
  const huffman = (bytes[cursor.at] ?? 0) >= 0x80;
  const length = readInteger(7);
  const start = cursor.at;
  if (length < 0 || length > cursor.end - start) return false;
  cursor.at = start + length;
  if (!huffman) {
    text.bytes = bytes;
    text.start = start;
    text.end = cursor.at;
    return true;
  }
  if (mostDecoded(length) > decoded.length) decoded = Buffer.allocUnsafeSlow(mostDecoded(length));
  text.bytes = decoded;
  text.start = 0;
  text.end = decodeHuffman(bytes, start, cursor.at, decoded);
  return text.end >= 0;
}
