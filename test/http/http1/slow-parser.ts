/**
 * A second reader of HTTP/1 requests, for comparison. It has the whole of what a peer sends in one text, one character
 * for each byte, and goes through it step by step as RFC 9112 describes it; it knows nothing of pieces, and is slow.
 */

import { BODY_BYTES, HEAD_BYTES, HEAD_FIELDS } from "../../../src/http/limits.ts";
import { FIELDS, type SeenRequest } from "./conversation.ts";

/** How it ends: the peer is awaited, or the connection closes, after a status below the handler if there is one. */
export type Ending = "open" | "closed" | `${number}${string}`;

export interface Reading {
  readonly requests: readonly SeenRequest[];
  readonly ending: Ending;
}

const TOKEN_CHARACTERS = new Set(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
);

class Refused extends Error {
  readonly status: `${number}${string}`;
  constructor(status: `${number}${string}` = "400 Bad Request") {
    super(status);
    this.status = status;
  }
}

/** The peer has not sent enough. */
class Incomplete extends Error {}

/** What requests are in this, if each is answered at once. */
export function readSlowly(text: string): Reading {
  const requests: SeenRequest[] = [];
  let rest = text;
  try {
    for (;;) {
      const head = readHead(rest);
      const { request, minorVersion } = head;
      const connection = listOf(head.fields, "connection");
      const wantsMore =
        !connection.includes("close") && (minorVersion > 0 || connection.includes("keep-alive"));
      const expectations = listOf(head.fields, "expect").filter((one) => one !== "");
      if (expectations.length > 0 && !expectations.includes("100-continue"))
        return { requests, ending: "417 Expectation Failed" };
      const { body, after } = readBody(head.fields, head.after);
      if (request.target === "*") {
        if (request.method !== "OPTIONS") return { requests, ending: "400 Bad Request" };
      } else requests.push({ ...request, body });
      if (!wantsMore || ["<broken>", "<too-long>"].includes(body))
        return { requests, ending: "closed" };
      rest = after;
    }
  } catch (error) {
    if (error instanceof Incomplete) return { requests, ending: "open" };
    if (error instanceof Refused) return { requests, ending: error.status };
    throw error;
  }
}

type Field = readonly [name: string, value: string];

function readHead(text: string) {
  let after = text;
  if (after.startsWith("\r\n")) after = after.slice(2);
  else if (after.startsWith("\n")) after = after.slice(1);
  if (after === "") throw new Incomplete();

  const lines: string[] = [];
  let bytes = 0;
  for (;;) {
    const lineFeed = after.indexOf("\n");
    if (lineFeed === -1) {
      if (bytes + after.length > HEAD_BYTES)
        throw new Refused("431 Request Header Fields Too Large");
      throw new Incomplete();
    }
    bytes += lineFeed + 1;
    if (bytes > HEAD_BYTES) throw new Refused("431 Request Header Fields Too Large");
    const line = after.slice(0, lineFeed);
    after = after.slice(lineFeed + 1);
    lines.push(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (lines.length === 1) readRequestLine(lines[0] ?? "");
    if (lines.at(-1) === "") break;
  }
  const [requestLine = "", ...fieldLines] = lines.slice(0, -1);
  if (lines.join("").split("").some(isControl)) throw new Refused();
  const { method, target, authority, minorVersion } = readRequestLine(requestLine);
  const fields: Field[] = [];
  for (const line of fieldLines) {
    if (fields.length === HEAD_FIELDS) throw new Refused("431 Request Header Fields Too Large");
    fields.push(readField(line));
  }

  const hosts = valuesOf(fields, "host");
  if (hosts.length > 1 || hosts.some((host) => !isHost(host))) throw new Refused();
  const framed = readFraming(fields, minorVersion);
  if (framed !== undefined) throw framed;
  if (hosts.length === 0 && minorVersion > 0)
    throw new Refused("400 Bad Request: missing required Host header");

  const wanted: Record<string, string> = {};
  for (const name of new Set(fields.map(([one]) => one))) {
    if (FIELDS.has(name)) wanted[name] = valuesOf(fields, name).join(", ");
  }
  if (authority !== undefined && hosts.length > 0) wanted["host"] = authority;
  return { request: { method, target, fields: wanted }, minorVersion, fields, after };
}

function readRequestLine(line: string) {
  const parts = line.split(" ");
  const [method = "", sent = "", version = ""] = parts;
  if (parts.length !== 3 || line.split("").some((one) => isControl(one) || one === "\t"))
    throw new Refused();
  if (!isToken(method)) throw new Refused();
  if (version.length !== 8 || !version.startsWith("HTTP/") || version[6] !== ".")
    throw new Refused();
  if (!isDigit(version[5]) || !isDigit(version[7])) throw new Refused();
  const { target, authority } = readTarget(method, sent);
  if (version[5] !== "1") throw new Refused("505 HTTP Version Not Supported");
  return { method, target, authority, minorVersion: Number(version[7]) };
}

function readTarget(method: string, sent: string) {
  if (sent.startsWith("/")) return { target: checkPath(sent), authority: undefined };
  if (method === "CONNECT") {
    if (sent === "" || !isHost(sent)) throw new Refused();
    return { target: sent, authority: undefined };
  }
  if (sent === "*") return { target: sent, authority: undefined };
  const colon = sent.indexOf("://");
  if (colon < 1 || !isScheme(sent.slice(0, colon))) throw new Refused();
  let end = colon + 3;
  while (end < sent.length && !"/?#".includes(sent[end] ?? "")) end++;
  const authority = sent.slice(colon + 3, end);
  if (authority === "" || !isHost(authority)) throw new Refused();
  const path = sent.slice(end);
  return { target: checkPath(path.startsWith("/") ? path : `/${path}`), authority };
}

function readField(line: string): Field {
  const colon = line.indexOf(":");
  if (colon === -1 || !isToken(line.slice(0, colon))) throw new Refused();
  let value = line.slice(colon + 1);
  while (value.startsWith(" ") || value.startsWith("\t")) value = value.slice(1);
  while (value.endsWith(" ") || value.endsWith("\t")) value = value.slice(0, -1);
  return [line.slice(0, colon).toLowerCase(), value];
}

/** Why the end of the body can't be known. */
function readFraming(fields: readonly Field[], minorVersion: number): Refused | undefined {
  const lengths = valuesOf(fields, "content-length");
  const codings = valuesOf(fields, "transfer-encoding");
  if (new Set(lengths).size > 1) return new Refused();
  for (const length of lengths) {
    if (length === "" || !length.split("").every(isDigit)) return new Refused();
  }
  if (codings.length > 0) {
    if (lengths.length > 0 || minorVersion === 0) return new Refused();
    if (codings.join(",").toLowerCase() !== "chunked") return new Refused("501 Not Implemented");
  }
  return BigInt(lengths[0] ?? "0") >= 2n ** 53n ? new Refused() : undefined;
}

function readBody(
  fields: readonly Field[],
  text: string,
): { readonly body: string; readonly after: string } {
  if (valuesOf(fields, "transfer-encoding").length > 0) return readChunks(text);
  const length = Number(valuesOf(fields, "content-length")[0] ?? "0");
  if (length > BODY_BYTES) return { body: "<too-long>", after: "" };
  if (text.length < length) throw new Incomplete();
  return { body: text.slice(0, length), after: text.slice(length) };
}

function readChunks(text: string): { readonly body: string; readonly after: string } {
  const broken = { body: "<broken>", after: "" };
  let body = "";
  let after = text;
  let excess = 0;
  const readLine = (): string | undefined => {
    const lineFeed = after.indexOf("\n");
    if (lineFeed === -1) {
      if (after.length > 4097) return undefined;
      throw new Incomplete();
    }
    const line = after.slice(0, lineFeed);
    after = after.slice(lineFeed + 1);
    if (line.length > 4097 || !line.endsWith("\r")) return undefined;
    const withoutCr = line.slice(0, -1);
    return withoutCr.split("").some(isControl) ? undefined : withoutCr;
  };
  for (;;) {
    const line = readLine();
    if (line === undefined) return broken;
    let digits = 0;
    while (digits < line.length && isHexDigit(line[digits])) digits++;
    let end = digits;
    while (line[end] === " " || line[end] === "\t") end++;
    if (digits === 0 || digits > 16 || (end < line.length && line[end] !== ";")) return broken;
    const size = Number(`0x${line.slice(0, digits)}`);
    excess = Math.max(0, excess + line.length + 4 - 16 - 2 * size);
    if (excess > 16_384) return broken;
    if (body.length + size > BODY_BYTES) return { body: "<too-long>", after: "" };
    if (size === 0) break;
    if (after.length < size) throw new Incomplete();
    body += after.slice(0, size);
    after = after.slice(size);
    const afterData = readLine();
    if (afterData !== "") return broken;
  }
  for (let bytes = 0; ;) {
    const line = readLine();
    if (line === undefined) return broken;
    if (line === "") return { body, after };
    bytes += line.length + 2;
    const colon = line.indexOf(":");
    if (bytes > HEAD_BYTES || colon === -1 || !isToken(line.slice(0, colon))) return broken;
  }
}

function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([one]) => one === name).map(([, value]) => value);
}

/** The elements of a list, in lower case. */
function listOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name).flatMap((value) =>
    value
      .toLowerCase()
      .split(",")
      .map((one) => one.trim()),
  );
}

function checkPath(target: string): string {
  const [path = ""] = target.split("?");
  for (let at = path.indexOf("%"); at !== -1; at = path.indexOf("%", at + 1)) {
    if (!isHexDigit(path[at + 1]) || !isHexDigit(path[at + 2])) throw new Refused();
  }
  return target;
}

function isHost(text: string): boolean {
  let rest = text;
  if (rest.startsWith("[")) {
    const end = rest.indexOf("]");
    const [address = "", ...zone] = rest.slice(1, end).split("%25");
    if (
      end === -1 ||
      address === "" ||
      !address.split("").every((one) => isHexDigit(one) || one === ":" || one === ".")
    )
      return false;
    if (zone.length > 1 || (zone.length === 1 && (zone[0] === "" || !isUnreserved(zone[0] ?? ""))))
      return false;
    rest = rest.slice(end + 1);
  } else {
    const colon = rest.indexOf(":");
    const name = colon === -1 ? rest : rest.slice(0, colon);
    const parts = name.split("%");
    if (!isUnreserved((parts[0] ?? "").replaceAll(/[!$&'()*+,;=]/g, ""))) return false;
    for (const part of parts.slice(1)) {
      if (!isHexDigit(part[0]) || !isHexDigit(part[1])) return false;
      if (!isUnreserved(part.slice(2).replaceAll(/[!$&'()*+,;=]/g, ""))) return false;
    }
    rest = colon === -1 ? "" : rest.slice(colon);
  }
  return rest === "" || (rest.startsWith(":") && rest.slice(1).split("").every(isDigit));
}

function isUnreserved(text: string): boolean {
  return text.split("").every((one) => isLetter(one) || isDigit(one) || "-._~".includes(one));
}

function isScheme(text: string): boolean {
  return (
    isLetter(text[0]) &&
    text.split("").every((one) => isLetter(one) || isDigit(one) || "+-.".includes(one))
  );
}

function isToken(text: string): boolean {
  return text !== "" && text.split("").every((one) => TOKEN_CHARACTERS.has(one));
}

function isLetter(one: string | undefined): boolean {
  return one !== undefined && ((one >= "a" && one <= "z") || (one >= "A" && one <= "Z"));
}

function isDigit(one: string | undefined): boolean {
  return one !== undefined && one >= "0" && one <= "9";
}

function isHexDigit(one: string | undefined): boolean {
  return one !== undefined && "0123456789abcdefABCDEF".includes(one);
}

function isControl(one: string): boolean {
  return (one < " " && one !== "\t") || one === "\x7f";
}
