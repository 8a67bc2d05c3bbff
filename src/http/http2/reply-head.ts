/** Encodes heads of replies. They use the static table only: no dynamic table, no Huffman code. */

import type { ReplyHead } from "../message.ts";
import { STATIC_TABLE } from "./hpack/static-table.ts";

/** Bits for the index of the name in a literal field without indexing (RFC 7541 section 6.2.2). 0: the name follows. */
const NAME_BITS = 4;
const VALUE_BITS = 7;
const INDEXED = 0x80;

const DATE = nameIndex("date");
const CONTENT_LENGTH = nameIndex("content-length");

const blocks = new WeakMap<ReplyHead, Uint8Array>();

/** The field block of status and fields. Made once for each head, and kept. */
export function renderHead(head: ReplyHead): Uint8Array {
  const before = blocks.get(head);
  if (before !== undefined) return before;
  const bytes: number[] = [];
  pushField(bytes, ":status", String(head.status));
  for (const [name, value] of head.fields) pushField(bytes, name.toLowerCase(), value);
  const block = Uint8Array.from(bytes);
  blocks.set(head, block);
  return block;
}

let dateText = "";
let dateBlock = new Uint8Array(0);

/** The field `date`, encoded. Made anew only when the date changes. */
export function renderDate(date: string): Uint8Array {
  if (date !== dateText) {
    const bytes: number[] = [];
    pushInteger(bytes, NAME_BITS, DATE);
    pushText(bytes, date);
    dateText = date;
    dateBlock = Uint8Array.from(bytes);
  }
  return dateBlock;
}

/** Bytes of the field `content-length` before its digits. */
const LENGTH_PREFIX = 3;

/** How many bytes `writeLength` writes. */
export function lengthBytes(digits: string): number {
  return LENGTH_PREFIX + digits.length;
}

/** Writes the field `content-length` with this number at `at`, and returns where it ends. */
export function writeLength(bytes: Uint8Array, at: number, digits: string): number {
  bytes[at] = 0x0f;
  bytes[at + 1] = CONTENT_LENGTH - 0x0f;
  bytes[at + 2] = digits.length;
  let end = at + LENGTH_PREFIX;
  for (let digit = 0; digit < digits.length; digit++) bytes[end++] = digits.charCodeAt(digit);
  return end;
}

function pushField(bytes: number[], name: string, value: string): void {
  const whole = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value);
  if (whole >= 0) {
    bytes.push(INDEXED | (whole + 1));
    return;
  }
  const index = nameIndex(name);
  pushInteger(bytes, NAME_BITS, index);
  if (index === 0) pushText(bytes, name);
  pushText(bytes, value);
}

/** The first index with this name; 0 if there is none. */
function nameIndex(name: string): number {
  return STATIC_TABLE.findIndex((entry) => entry[0] === name) + 1;
}

function pushText(bytes: number[], text: string): void {
  pushInteger(bytes, VALUE_BITS, text.length);
  for (let at = 0; at < text.length; at++) bytes.push(text.charCodeAt(at));
}

/** An integer with a prefix of so many bits (RFC 7541 section 5.1). */
function pushInteger(bytes: number[], bits: number, value: number): void {
  const most = (1 << bits) - 1;
  if (value < most) {
    bytes.push(value);
    return;
  }
  bytes.push(most);
  let rest = value - most;
  for (; rest >= 0x80; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}
