/** Finds IP addresses in free text, however they are written and whatever they stand next to. */

const DIGIT = 1;
/** `a` to `f` in either case. */
const HEX_LETTER = 2;
/** What else a word may hold: the other ASCII letters and `_`. */
const OTHER_LETTER = 4;
/** What else the zone of an address may hold. */
const ZONE_MARK = 8;

const DOT = 0x2e;
const COLON = 0x3a;
const PERCENT = 0x25;

const HEX = DIGIT | HEX_LETTER;
const ZONE = HEX | OTHER_LETTER | ZONE_MARK;

const KINDS = new Uint8Array(128);
for (const [characters, kind] of [
  ["0123456789", DIGIT],
  ["abcdefABCDEF", HEX_LETTER],
  ["ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ_", OTHER_LETTER],
  ["-~", ZONE_MARK],
] as const) {
  for (const character of characters) KINDS[character.charCodeAt(0)] = kind;
}

/**
 * Replaces every address in `text` by `replacement`, in time linear in the length of `text`. Digits are not checked
 * for range: what could be an address is taken for one.
 *
 * - IPv4: four or more groups of digits with dots between them, wherever they stand, even inside a word (so a version
 *   of four groups goes too). The sequence goes as a whole, for the address may be its head or its tail.
 * - IPv6: hexadecimal groups with colons (`:`, `%3a`, `%3A`) between them, of which there are at least six or which
 *   hold a `::`. Embedded IPv4, zone (`%eth0`) and enclosing brackets go with them.
 * - A port behind either goes too; a colon without one stays.
 *
 * What stays, though it looks similar: times of day and other sequences of up to five groups; fingerprints, that is
 * sixteen or more groups of two digits and at most one other; scoped names such as `std::deque`, unless a digit stands next to the `::`; and
 * a name in front of a colon (`node:` of `node:2001:db8::1`). A MAC address goes: it has six groups.
 */
export function replaceAddresses(text: string, replacement: string): string {
  let result = "";
  let copied = 0;
  let i = 0;
  while (i < text.length) {
    const wordEnd = skip(text, i, HEX);
    if (colonLength(text, wordEnd) === 0 && (wordEnd === i || text.charCodeAt(wordEnd) !== DOT)) {
      i = wordEnd + 1;
      continue;
    }
    // What follows a replaced address directly is not the rest of a word, but more of the same.
    const followsAddress = i === copied && i > 0;
    const isInsideWord = !followsAddress && kindAt(text, i - 1) === OTHER_LETTER;
    const label = isInsideWord ? labelLength(text, i) : 0;
    if (label > 0) {
      i += label;
      continue;
    }

    const run = readRun(text, i);
    const dotted = readDotted(text, run.digitsStart);
    let start: number;
    let end: number;
    const isBeforeLetter = !followsAddress && kindAt(text, run.end) === OTHER_LETTER;
    if (isIpv6(run, isInsideWord || isBeforeLetter)) {
      start = i;
      end = skipZone(text, dotted.isIpv4 ? dotted.end : run.end);
      if (text[start - 1] === "[" && text[end] === "]") {
        start--;
        end++;
      }
    } else if (dotted.isIpv4) {
      start = run.digitsStart;
      end = dotted.end;
    } else {
      // The last group of a dotted sequence may be the first one of an IPv6 address.
      i = Math.max(run.end, dotted.lastGroup);
      continue;
    }
    end = skipPort(text, end);
    result += text.slice(copied, start) + replacement;
    copied = end;
    i = end;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** Hexadecimal groups with colons between them, as far as they go. */
interface Run {
  /** A single colon at the very end does not belong to the run. */
  readonly end: number;
  /** Where the digits that end the last group start: an IPv4 address may go on from there. */
  readonly digitsStart: number;
  /** Number of groups, empty ones included. */
  readonly groups: number;
  /** Number of groups of two digits. */
  readonly pairs: number;
  /** Number of groups of any other length but 0. */
  readonly otherGroups: number;
  readonly hasDigit: boolean;
  readonly hasSingleColon: boolean;
  readonly hasDoubleColon: boolean;
}

function readRun(text: string, start: number): Run {
  let groups = 0;
  let pairs = 0;
  let otherGroups = 0;
  let hasDigit = false;
  let hasSingleColon = false;
  let hasDoubleColon = false;
  let i = start;
  let lastColon = start;
  let lengthBefore = 0;
  for (;;) {
    const groupStart = i;
    let digitsStart = i;
    for (let kind = kindAt(text, i); (kind & HEX) !== 0; kind = kindAt(text, ++i)) {
      if (kind === DIGIT) hasDigit = true;
      else digitsStart = i + 1;
    }
    const length = i - groupStart;
    groups++;
    if (length === 2) pairs++;
    else if (length > 0) otherGroups++;
    if (length > 0 && lengthBefore > 0) hasSingleColon = true;

    const colon = colonLength(text, i);
    if (colon === 0) {
      const end = length === 0 && lengthBefore > 0 ? lastColon : i;
      return {
        end,
        digitsStart,
        groups,
        pairs,
        otherGroups,
        hasDigit,
        hasSingleColon,
        hasDoubleColon,
      };
    }
    if (length === 0 && groups > 1) hasDoubleColon = true;
    lengthBefore = length;
    lastColon = i;
    i += colon;
  }
}

/** `touchesWord`: there is a letter before or after the run that can't be part of an address. */
function isIpv6(run: Run, touchesWord: boolean): boolean {
  if (run.hasDoubleColon) return !touchesWord || run.hasDigit || run.hasSingleColon;
  // One group may be the name of the hash: `sha256:`.
  const isFingerprint = run.pairs >= 16 && run.otherGroups <= 1;
  return run.groups >= 6 && !isFingerprint;
}

/** Groups of digits with dots between them, as far as they go. */
interface Dotted {
  readonly end: number;
  /** Where the last group starts. */
  readonly lastGroup: number;
  readonly isIpv4: boolean;
}

function readDotted(text: string, start: number): Dotted {
  let lastGroup = start;
  let end = skip(text, start, DIGIT);
  let isIpv4 = false;
  // Digits may stand right before or after an address, so that only its two inner groups have a certain length.
  let shortInner = 0;
  for (let groups = 2; end > lastGroup && text.charCodeAt(end) === DOT; groups++) {
    const nextEnd = skip(text, end + 1, DIGIT);
    if (nextEnd === end + 1) break;
    if (groups > 2) shortInner = end - lastGroup <= 3 ? shortInner + 1 : 0;
    if (shortInner >= 2) isIpv4 = true;
    lastGroup = end + 1;
    end = nextEnd;
  }
  return { end, lastGroup, isIpv4 };
}

/**
 * Length of the name and the colon that end a word at `i` and stand before an address without being part of it: `de:` in
 * `node:2001:db8::1`. 0 if there are none.
 */
function labelLength(text: string, i: number): number {
  const nameEnd = skip(text, i, HEX_LETTER);
  const first = colonLength(text, nameEnd);
  if (first === 0) return 0;
  const second = colonLength(text, nameEnd + first);
  // Two colons are an address's own, or a scoped name's; of three the first is the label's.
  if (second > 0 && colonLength(text, nameEnd + first + second) === 0) return 0;
  return nameEnd + first - i;
}

/** Where a zone that starts at `i` ends: `%eth0`, or `%25eth0` in a URL. `i` if there is none. */
function skipZone(text: string, i: number): number {
  if (text[i] !== "%" || colonLength(text, i) > 0) return i;
  let end = skip(text, i + 1, ZONE);
  while (end > i + 1 && text.charCodeAt(end) === DOT && (kindAt(text, end + 1) & ZONE) !== 0) {
    end = skip(text, end + 1, ZONE);
  }
  return end > i + 1 ? end : i;
}

/** Where a port with its colon that starts at `i` ends; `i` if there is none, or if it may start another address. */
function skipPort(text: string, i: number): number {
  const colon = colonLength(text, i);
  const end = skip(text, i + colon, DIGIT);
  if (colon === 0 || end === i + colon) return i;
  const next = end + (text.charCodeAt(end) === DOT ? 1 : colonLength(text, end));
  return (kindAt(text, next) & HEX) === 0 ? end : i;
}

/** Where the characters of these kinds that start at `i` end. */
function skip(text: string, i: number, kinds: number): number {
  let end = i;
  while ((kindAt(text, end) & kinds) !== 0) end++;
  return end;
}

/** Length of the colon at `i`, plain or percent-encoded; 0 if there is none. */
function colonLength(text: string, i: number): number {
  const code = text.charCodeAt(i);
  if (code === COLON) return 1;
  if (code !== PERCENT || text[i + 1] !== "3") return 0;
  const last = text[i + 2];
  return last === "a" || last === "A" ? 3 : 0;
}

/** The kind of the character at `i`; 0 if there is none. */
function kindAt(text: string, i: number): number {
  return KINDS[text.charCodeAt(i)] ?? 0;
}
