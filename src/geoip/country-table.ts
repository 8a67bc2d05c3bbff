/** Which ranges of addresses belong to which country, out of Tor's country files. */

import { decodeUtf8 } from "../messages/utf8.ts";
import { parseAddressWords } from "./address-words.ts";

/** 4: `LOW,HIGH,COUNTRY` with decimal numbers; 6: the same with textual addresses. */
export type Family = 4 | 6;

export type ParsedCountryTable =
  | { readonly ok: true; readonly table: CountryTable; readonly entries: number }
  /** `error` names the line and what is wrong with it, in words for the operator. */
  | { readonly ok: false; readonly error: string };

/** Longest country, in bytes. Real ones have two. */
const LONGEST_COUNTRY = 64;

/** How many different countries an index of 16 bits can tell apart. */
const MAX_COUNTRIES = 0x10000;

/** Bytes of the shortest entry, its line end included: `0,0,` and `::,::,`. */
const SHORTEST_ENTRY = { 4: 5, 6: 7 } as const;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HASH = 0x23;
const COMMA = 0x2c;

/** What some editors put in front of a text. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

function startsWithMark(bytes: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte);
}

/** Ranges of addresses of one family, ascending and apart. */
export class CountryTable {
  /** Words an address takes in `#lows` and `#highs`: 1 for IPv4, 4 for IPv6. */
  readonly #width: number;
  readonly #lows: Uint32Array;
  readonly #highs: Uint32Array;
  /** For every range, the index of its name. */
  readonly #countries: Uint16Array;
  readonly #names: readonly string[];

  constructor(
    width: number,
    lows: Uint32Array,
    highs: Uint32Array,
    countries: Uint16Array,
    names: readonly string[],
  ) {
    this.#width = width;
    this.#lows = lows;
    this.#highs = highs;
    this.#countries = countries;
    this.#names = names;
  }

  /** The country whose range holds the address, given as four words; undefined if none does. */
  find(address: Uint32Array): string | undefined {
    const width = this.#width;
    const count = this.#countries.length;
    let from = 0;
    let to = count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (compare(this.#highs, middle, address, width) < 0) from = middle + 1;
      else to = middle;
    }
    if (from === count || compare(this.#lows, from, address, width) > 0) return undefined;
    return this.#names[this.#countries[from] ?? 0];
  }
}

/** Below, at or above zero as entry `index` of `list` is below, at or above the address. */
function compare(list: Uint32Array, index: number, address: Uint32Array, width: number): number {
  const first = index * width;
  for (let i = 0; i < width; i++) {
    const difference = (list[first + i] ?? 0) - (address[4 - width + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Lines that are read at a time: a few ms. */
const SLICE_LINES = 5_000;

/**
 * Reads a country file: one entry a line, `#` in the first column for comments, blank lines and a byte order mark
 * skipped, lines ended by LF or CRLF. One bad line refuses the whole file. So does a range that doesn't lie above the
 * one before it, as a binary search would miss addresses; a range with LOW above HIGH is empty, and allowed. There are
 * pauses in which the caller can do something else.
 */
export function* parseInSlices(
  bytes: Uint8Array,
  family: Family,
): Generator<undefined, ParsedCountryTable> {
  const entries = new Entries(family, bytes);
  let line = 0;
  let next = startsWithMark(bytes) ? BYTE_ORDER_MARK.length : 0;
  while (next < bytes.length) {
    const start = next;
    let end = bytes.indexOf(NEWLINE, start);
    if (end < 0) end = bytes.length;
    next = end + 1;
    if (++line % SLICE_LINES === 0) yield;
    if (end > start && bytes[end - 1] === RETURN) end--;
    if (end === start || bytes[start] === HASH) continue;
    const problem = entries.add(start, end);
    if (problem !== undefined) return { ok: false, error: `line ${line}: ${problem}` };
  }
  return { ok: true, table: entries.table(), entries: entries.count };
}

/** The entries read so far of one file. */
class Entries {
  count = 0;
  readonly #family: Family;
  readonly #bytes: Uint8Array;
  readonly #width: number;
  readonly #lows: Uint32Array;
  readonly #highs: Uint32Array;
  readonly #countries: Uint16Array;
  readonly #names: string[] = [];
  readonly #indexes = new Map<string, number>();
  /** Indexes of names of two bytes by these, which saves a string an entry. */
  readonly #shortIndexes = new Map<number, number>();
  readonly #words = new Uint32Array(4);

  constructor(family: Family, bytes: Uint8Array) {
    this.#family = family;
    this.#bytes = bytes;
    this.#width = family === 4 ? 1 : 4;
    const room = Math.min(countLines(bytes), Math.ceil(bytes.length / SHORTEST_ENTRY[family]));
    this.#lows = new Uint32Array(room * this.#width);
    this.#highs = new Uint32Array(room * this.#width);
    this.#countries = new Uint16Array(room);
  }

  /** Takes the entry that stands from `start` to `end`, or says what is wrong with it. */
  add(start: number, end: number): string | undefined {
    const first = this.#comma(start, end);
    const second = this.#comma(first + 1, end);
    if (second >= end || this.#comma(second + 1, end) < end) {
      return "not three fields separated by commas";
    }
    if (!this.#parse(start, first)) return `LOW is not ${this.#expected()}`;
    if (!this.#isAboveLast()) return "LOW is not above the range before";
    this.#store(this.#lows);
    if (!this.#parse(first + 1, second)) return `HIGH is not ${this.#expected()}`;
    if (!this.#isAboveLast()) return "HIGH is not above the range before";
    this.#store(this.#highs);
    if (end - second - 1 > LONGEST_COUNTRY) return `country is over ${LONGEST_COUNTRY} bytes long`;
    const country = this.#country(second + 1, end);
    if (country >= MAX_COUNTRIES) return `more than ${MAX_COUNTRIES} different countries`;
    this.#countries[this.count++] = country;
    return undefined;
  }

  table(): CountryTable {
    const words = this.count * this.#width;
    return new CountryTable(
      this.#width,
      this.#lows.slice(0, words),
      this.#highs.slice(0, words),
      this.#countries.slice(0, this.count),
      this.#names,
    );
  }

  /** Where the next comma is, or `end`. */
  #comma(start: number, end: number): number {
    let at = start;
    while (at < end && this.#bytes[at] !== COMMA) at++;
    return at;
  }

  #expected(): string {
    return this.#family === 4 ? "a decimal number of 32 bits" : "an IP address";
  }

  #parse(start: number, end: number): boolean {
    return this.#family === 4
      ? parseDecimal(this.#bytes, start, end, this.#words)
      : parseAddressWords(this.#bytes, start, end, this.#words);
  }

  #isAboveLast(): boolean {
    return this.count === 0 || compare(this.#highs, this.count - 1, this.#words, this.#width) < 0;
  }

  #store(list: Uint32Array): void {
    const width = this.#width;
    for (let i = 0; i < width; i++) {
      list[this.count * width + i] = this.#words[4 - width + i] ?? 0;
    }
  }

  #country(start: number, end: number): number {
    if (end - start !== 2) return this.#intern(start, end);
    const key = ((this.#bytes[start] ?? 0) << 8) | (this.#bytes[start + 1] ?? 0);
    let index = this.#shortIndexes.get(key);
    if (index === undefined) {
      index = this.#intern(start, end);
      this.#shortIndexes.set(key, index);
    }
    return index;
  }

  #intern(start: number, end: number): number {
    const name = decodeUtf8(this.#bytes.subarray(start, end));
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    const index = this.#names.push(name) - 1;
    this.#indexes.set(name, index);
    return index;
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 1;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

/** Reads a decimal number of 32 bits, leading zeros allowed, into the last word; false if the text is none. */
function parseDecimal(bytes: Uint8Array, start: number, end: number, words: Uint32Array): boolean {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
    if (value > 0xffffffff) return false;
  }
  words[3] = value;
  return end > start;
}
