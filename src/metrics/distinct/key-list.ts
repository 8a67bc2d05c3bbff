/**
 * An ascending list of distinct sparse keys, stored as differences (the first to 0) in base 128: least significant
 * group first, bit 7 set on all bytes but the last.
 */

import { isSparseKey } from "./hash-split.ts";

export interface KeyList {
  /** Number of keys. */
  readonly count: number;
  readonly bytes: Uint8Array;
  /** The last and largest key; 0 if there is none. */
  readonly last: number;
}

export const EMPTY_KEY_LIST: KeyList = { count: 0, bytes: new Uint8Array(0), last: 0 };

/** Bytes that a difference of 32 bits takes at most. */
const MAX_DIFFERENCE_BYTES = 5;

/** The keys of a list, ascending. */
export function listKeys(list: KeyList): Uint32Array {
  return readKeys(list.count, list.bytes);
}

/** The union of a list and of keys in ascending order without duplicates. */
export function uniteKeys(list: KeyList, keys: Uint32Array): KeyList {
  // A key put in splits one difference in two, and so adds one difference at most.
  const bytes = new Uint8Array(list.bytes.length + keys.length * MAX_DIFFERENCE_BYTES);
  const old = listKeys(list);
  let length = 0;
  let count = 0;
  let last = 0;
  let i = 0;
  let k = 0;
  while (i < old.length || k < keys.length) {
    const a = old[i] ?? Infinity;
    const b = keys[k] ?? Infinity;
    const key = Math.min(a, b);
    if (a === key) i++;
    if (b === key) k++;
    let difference = key - last;
    while (difference >= 0x80) {
      bytes[length++] = (difference & 0x7f) | 0x80;
      difference >>>= 7;
    }
    bytes[length++] = difference;
    count++;
    last = key;
  }
  return { count, bytes: bytes.slice(0, length), last };
}

/**
 * Checks a list that was read from somewhere; undefined if it is not what `uniteKeys` would have made. The bytes are
 * copied.
 */
export function decodeKeyList(count: number, bytes: Uint8Array, last: number): KeyList | undefined {
  // Each key takes a byte at least: no allocation goes beyond the size of the input.
  if (count > bytes.length) return undefined;
  const keys = readKeys(count, bytes);
  for (let i = 0; i < count; i++) {
    const key = keys[i] ?? 0;
    if (!isSparseKey(key) || (i > 0 && key <= (keys[i - 1] ?? 0))) return undefined;
  }
  const list = uniteKeys(EMPTY_KEY_LIST, keys);
  return list.last === last && Buffer.compare(list.bytes, bytes) === 0 ? list : undefined;
}

/** Reads `count` keys. Bytes that are no list give keys without meaning. */
function readKeys(count: number, bytes: Uint8Array): Uint32Array {
  const keys = new Uint32Array(count);
  let position = 0;
  let key = 0;
  for (let i = 0; i < count; i++) {
    let scale = 1;
    let byte: number;
    do {
      byte = bytes[position++] ?? 0;
      key += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    keys[i] = key;
  }
  return keys;
}
