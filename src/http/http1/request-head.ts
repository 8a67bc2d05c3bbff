/** The head of a request: request line and header fields (RFC 9112, sections 2 to 7). */

import { type Bound, HEAD_FIELDS } from "../limits.ts";
import { isHost, parseTarget } from "./request-target.ts";

export interface RequestHead {
  readonly method: string;
  /** Path and query, or `*`, or the authority of CONNECT. */
  readonly target: string;
  /** The x of HTTP/1.x. */
  readonly minorVersion: number;
  /** The wanted fields, by their names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** Bytes of the body, unless it comes in chunks. */
  readonly bodyLength: number | "chunked";
  /** Whether the peer wants to send more requests. */
  readonly keepAlive: boolean;
  /** `continue`: the peer may send its body only after a reply with status 100. */
  readonly expects: "nothing" | "continue" | "unknown";
}

/** Why a request is answered below the handler. */
export interface Refusal {
  readonly status: 400 | 431 | 501 | 505;
  /** Where Go's reply says more than the status. */
  readonly reason?: string;
  /** The bound that has struck. */
  readonly bound?: Bound;
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly authority: string | undefined;
  readonly minorVersion: number;
}

/** Control characters, and a CR without LF. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/;

const METHOD = /^[\w!#$%&'*+.^`|~-]+$/;

/** The name of a field, and its colon. Tested from `lastIndex` on, which a match moves behind the colon. */
const NAME = /[\w!#$%&'*+.^`|~-]+:/y;

const VERSION = /^HTTP\/[0-9]\.[0-9]$/;

const DECIMAL = /^[0-9]+$/;

/** The fields that this file looks at. */
const KNOWN = ["host", "connection", "content-length", "transfer-encoding", "expect"];

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

const BAD: Refusal = { status: 400 };

/**
 * Reads a head with its empty line; each character is one byte. Lines end in CRLF or, as in Go, in LF. Refuses whatever
 * two readers could understand differently, even where RFC 9112 leaves a choice.
 */
export function parseRequestHead(text: string, wanted: ReadonlySet<string>): RequestHead | Refusal {
  if (FORBIDDEN.test(text)) {
    return refusalOfRequestLine(text.slice(0, text.indexOf("\n") + 1)) ?? BAD;
  }
  const line = parseLine(text);
  if ("status" in line) return line;
  const { method, target, authority, minorVersion } = line;

  const names = namesByLength(wanted);
  let fields: Map<string, string> | undefined;
  let host: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  let connection: string | undefined;
  let expect: string | undefined;
  let count = 0;
  let start = text.indexOf("\n") + 1;
  while (!isEmptyLine(text, start)) {
    if (++count > HEAD_FIELDS) return { status: 431, bound: "field-count" };
    // A folded line begins with white space, which no name has.
    NAME.lastIndex = start;
    if (!NAME.test(text)) return BAD;
    const colon = NAME.lastIndex - 1;
    const end = text.indexOf("\n", colon);
    const nameStart = start;
    start = end + 1;
    const name = knownName(names[colon - nameStart], text, nameStart);
    if (name === undefined) continue;
    const value = trim(text, colon + 1, end);
    if (wanted.has(name)) {
      fields ??= new Map();
      fields.set(name, join(fields.get(name), value));
    }
    if (name === "host") {
      if (host !== undefined || !isHost(value)) return BAD;
      host = value;
    } else if (name === "content-length") {
      if (!DECIMAL.test(value) || (contentLength ?? value) !== value) return BAD;
      contentLength = value;
    } else if (name === "transfer-encoding") {
      transferEncoding = join(transferEncoding, value);
    } else if (name === "connection") {
      connection = join(connection, value);
    } else if (name === "expect") {
      expect = join(expect, value);
    }
  }

  const bodyLength = parseFraming(contentLength, transferEncoding, minorVersion);
  if (typeof bodyLength === "object") return bodyLength;
  if (host === undefined && minorVersion > 0) {
    return { status: 400, reason: "missing required Host header" };
  }
  if (authority !== undefined && fields?.has("host") === true) fields.set("host", authority);
  return {
    method,
    target,
    minorVersion,
    fields: fields ?? NO_FIELDS,
    bodyLength,
    keepAlive: wantsMore(connection, minorVersion),
    expects: parseExpect(expect, minorVersion),
  };
}

/** Why a request line is refused, so that this is known before the fields have come. `text` ends with the line's LF. */
export function refusalOfRequestLine(text: string): Refusal | undefined {
  if (FORBIDDEN.test(text)) return BAD;
  const line = parseLine(text);
  return "status" in line ? line : undefined;
}

/** The request line at the beginning of a text that has an LF. */
function parseLine(text: string): RequestLine | Refusal {
  const end = endWithoutCr(text, text.indexOf("\n"));
  const afterMethod = text.indexOf(" ");
  const afterTarget = text.indexOf(" ", afterMethod + 1);
  if (afterMethod === -1 || afterTarget === -1 || afterTarget > end) return BAD;
  const method = text.slice(0, afterMethod);
  const version = text.slice(afterTarget + 1, end);
  if (!METHOD.test(method) || !VERSION.test(version)) return BAD;
  const targetText = text.slice(afterMethod + 1, afterTarget);
  const target = targetText.includes("\t") ? undefined : parseTarget(method, targetText);
  if (target === undefined) return BAD;
  if (!version.startsWith("HTTP/1.")) return { status: 505 };
  const { authority } = target;
  return { method, target: target.text, authority, minorVersion: Number(version.slice(7)) };
}

/** Bytes of the body. Two ways to tell its end, or one that HTTP/1.0 does not know, are how requests are smuggled. */
function parseFraming(
  contentLength: string | undefined,
  transferEncoding: string | undefined,
  minorVersion: number,
): RequestHead["bodyLength"] | Refusal {
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined || minorVersion === 0) return BAD;
    return transferEncoding.toLowerCase() === "chunked" ? "chunked" : { status: 501 };
  }
  if (contentLength === undefined) return 0;
  const length = Number(contentLength);
  return Number.isSafeInteger(length) ? length : BAD;
}

function wantsMore(connection: string | undefined, minorVersion: number): boolean {
  if (connection === undefined) return minorVersion > 0;
  if (hasToken(connection, "close")) return false;
  return minorVersion > 0 || hasToken(connection, "keep-alive");
}

function parseExpect(expect: string | undefined, minorVersion: number): RequestHead["expects"] {
  if (expect === undefined || expect === "") return "nothing";
  if (!hasToken(expect, "100-continue")) return "unknown";
  return minorVersion > 0 ? "continue" : "nothing";
}

function isEmptyLine(text: string, start: number): boolean {
  const first = text.charCodeAt(start);
  return first === 0x0a || first === 0x0d;
}

function endWithoutCr(text: string, lineFeed: number): number {
  return text.charCodeAt(lineFeed - 1) === 0x0d ? lineFeed - 1 : lineFeed;
}

/** What stands from `start` to the LF, without white space around it. */
function trim(text: string, start: number, lineFeed: number): string {
  let first = start;
  let end = endWithoutCr(text, lineFeed);
  while (first < end && isBlank(text.charCodeAt(first))) first++;
  while (end > first && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(first, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Several lines of one name are one list. */
function join(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function hasToken(list: string, token: string): boolean {
  return list.split(",").some((element) => element.trim().toLowerCase() === token);
}

const NAMES = new WeakMap<ReadonlySet<string>, (readonly string[])[]>();

/** Wanted and known names; the index is their length. To compare them costs less than to make each name lower case. */
function namesByLength(wanted: ReadonlySet<string>): readonly (readonly string[] | undefined)[] {
  let names = NAMES.get(wanted);
  if (names === undefined) {
    names = [];
    for (const name of new Set([...wanted, ...KNOWN])) {
      names[name.length] = [...(names[name.length] ?? []), name];
    }
    NAMES.set(wanted, names);
  }
  return names;
}

/** The one of these names that stands there. */
function knownName(
  names: readonly string[] | undefined,
  text: string,
  start: number,
): string | undefined {
  if (names === undefined) return undefined;
  for (const name of names) {
    if (isName(name, text, start)) return name;
  }
  return undefined;
}

/** Whether this name, of letters in lower case, digits and hyphens, stands there in any letter case. */
function isName(name: string, text: string, start: number): boolean {
  for (let at = 0; at < name.length; at++) {
    if ((text.charCodeAt(start + at) | 0x20) !== name.charCodeAt(at)) return false;
  }
  return true;
}
