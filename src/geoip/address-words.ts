/** An internet address as four 32-bit words, most significant first; an IPv4 address is `::ffff:a.b.c.d`. */

/** Characters of the longest text that is an address: eight groups of which the last two are written as dotted IPv4. */
export const LONGEST_ADDRESS = 45;

const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const GROUPS = 8;

/** Scratch space; never read before it has been written in the same call. */
const groups = new Uint16Array(GROUPS);

/**
 * Reads the address written in ASCII from `start` to `end` (exclusive) into `words`, which holds four. False if the
 * text is none; `words` then stays as it was. Strict as Go's `net.ParseIP`: no leading zeros in dotted parts, at most four
 * digits a group, `::` for at least one group, no zone.
 */
export function parseAddressWords(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Uint32Array,
): boolean {
  let at = start;
  /** Groups read so far. */
  let count = 0;
  /** How many groups stand before `::`, or -1. */
  let gap = -1;
  if (bytes[at] === COLON) {
    if (at + 1 >= end || bytes[at + 1] !== COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < end) {
    if (count === GROUPS) return false;
    const from = at;
    let group = 0;
    for (; at < end; at++) {
      const digit = hexDigit(bytes[at] ?? 0);
      if (digit < 0) break;
      group = (group << 4) | digit;
    }
    if (at === from || at - from > 4) return false;
    if (at < end && bytes[at] === DOT) {
      const quad = parseDotted(bytes, from, end);
      if (quad < 0) return false;
      if (count === 0 && gap < 0) {
        words[0] = 0;
        words[1] = 0;
        words[2] = 0xffff;
        words[3] = quad;
        return true;
      }
      if (count > GROUPS - 2) return false;
      groups[count++] = quad >>> 16;
      groups[count++] = quad;
      break;
    }
    groups[count++] = group;
    if (at === end) break;
    if (bytes[at++] !== COLON || at === end) return false;
    if (bytes[at] === COLON) {
      if (gap >= 0) return false;
      gap = count;
      at++;
    }
  }
  if (gap < 0) {
    if (count !== GROUPS) return false;
  } else {
    if (count === GROUPS) return false;
    const tail = GROUPS - (count - gap);
    groups.copyWithin(tail, gap, count);
    groups.fill(0, gap, tail);
  }
  for (let i = 0; i < 4; i++) words[i] = ((groups[2 * i] ?? 0) << 16) | (groups[2 * i + 1] ?? 0);
  return true;
}

/** The value of a dotted IPv4 address that fills the text, or -1. */
function parseDotted(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let part = 0;
  let digits = 0;
  let parts = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === DOT) {
      if (digits === 0 || ++parts > 4) return -1;
      value = value * 256 + part;
      part = 0;
      digits = 0;
    } else {
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9 || (digits > 0 && part === 0)) return -1;
      part = part * 10 + digit;
      if (part > 255) return -1;
      digits++;
    }
  }
  return parts === 4 && digits > 0 ? value * 256 + part : -1;
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
