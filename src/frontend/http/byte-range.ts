/** The `Range` header: which part of something a client asks for (RFC 9110, section 14). */

/** What to send. `unsatisfiable`: the part asked for does not exist. */
export type WantedBytes =
  | { readonly kind: "whole" }
  /** Both ends included. */
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  | { readonly kind: "unsatisfiable" };

const WHOLE: WantedBytes = { kind: "whole" };

/** One range; with more than one, or anything that is none, the header may be ignored. */
const PATTERN = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/i;

/** Reads a `Range` header, undefined if there is none, for something of `size` bytes. */
export function parseByteRange(header: string | undefined, size: number): WantedBytes {
  const match = header === undefined ? null : PATTERN.exec(header.trim());
  if (match === null) return WHOLE;
  const [, first, last, suffix] = match;
  if (first === undefined) return lastBytes(Number(suffix), size);
  return bytesBetween(Number(first), last === "" ? Infinity : Number(last), size);
}

function lastBytes(length: number, size: number): WantedBytes {
  if (length === 0) return { kind: "unsatisfiable" };
  // No part of nothing can be named, but all of it can be sent.
  if (size === 0) return WHOLE;
  return { kind: "part", first: Math.max(0, size - length), last: size - 1 };
}

function bytesBetween(first: number, last: number, size: number): WantedBytes {
  if (last < first) return WHOLE;
  if (first >= size) return { kind: "unsatisfiable" };
  return { kind: "part", first, last: Math.min(last, size - 1) };
}
