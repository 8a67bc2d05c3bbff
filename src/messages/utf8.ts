/** From bytes to text, with one U+FFFD for every byte that is not part of well-formed UTF-8. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Decodes a message body; a byte order mark stays. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    // By itself TextDecoder would replace a truncated sequence as a whole; peers see one replacement a byte.
    return decodeByteWise(bytes);
  }
}

/** A text that a person wrote, without the mark that some editors put in front of it. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** Room for replacements at first, in bytes: a body with a few bad bytes is the usual one, if any is. */
const FIRST_ROOM = 256;

/**
 * Writes U+FFFD in place of each bad byte and decodes the result at once. Decoding run by run would let a body of bad
 * bytes cost 50 times as much.
 */
function decodeByteWise(bytes: Uint8Array): string {
  let repaired = new Uint8Array(bytes.length + FIRST_ROOM);
  /** How far `end` may be ahead of `i` for another replacement to have room. */
  let roomy = FIRST_ROOM - 3;
  let end = 0;
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i] ?? 0;
    if (lead < 0x80) {
      repaired[end++] = lead;
      i++;
      continue;
    }
    const length = sequenceLength(bytes, i);
    if (length > 0) {
      for (const next = i + length; i < next; i++) repaired[end++] = bytes[i] ?? 0;
      continue;
    }
    if (end - i > roomy) {
      const wider = new Uint8Array(3 * bytes.length);
      wider.set(repaired.subarray(0, end));
      repaired = wider;
      roomy = Infinity;
    }
    repaired[end++] = 0xef;
    repaired[end++] = 0xbf;
    repaired[end++] = 0xbd;
    i++;
  }
  return decoder.decode(repaired.subarray(0, end));
}

/** Length in bytes of the well-formed sequence at `i`, which is not ASCII (Unicode 15, table 3-7); 0 if there is none. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i] ?? 0;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0) return 0;
  const second = bytes[i + 1] ?? 0;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let k = 2; k < length; k++) {
    const next = bytes[i + k] ?? 0;
    if (next < 0x80 || next > 0xbf) return 0;
  }
  return length;
}
