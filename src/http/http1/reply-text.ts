/** Replies as HTTP/1 writes them (RFC 9112, section 4), in the form of Go's. */

import type { Reply, ReplyHead } from "../message.ts";
import type { Refusal } from "./request-head.ts";

/** What a reply depends on apart from itself. */
export interface ReplyContext {
  /** The x of HTTP/1.x, as the request has it. */
  readonly minorVersion: number;
  /** The request is HEAD: there is no body. */
  readonly isHead: boolean;
  /** Whether another request may follow. */
  readonly keepAlive: boolean;
  /** The value of `Date`. */
  readonly date: string;
}

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** To `OPTIONS *`. */
export const SERVER_OPTIONS: Reply = { head: { status: 200, fields: [] }, body: undefined };

/** To `*` with another method. */
export const BAD_ASTERISK: Reply = {
  head: { status: 400, fields: [] },
  body: undefined,
  close: true,
};

/** To an expectation other than a reply with status 100. */
export const BAD_EXPECTATION: Reply = {
  head: { status: 417, fields: [] },
  body: undefined,
  close: true,
};

/** When there will be none from the handler. */
export const BUG: Reply = { head: { status: 500, fields: [] }, body: undefined };

/** The words of Go's `StatusText` for statuses that have a use here. */
const WORDS: ReadonlyMap<number, string> = new Map([
  [200, "OK"],
  [201, "Created"],
  [202, "Accepted"],
  [204, "No Content"],
  [206, "Partial Content"],
  [301, "Moved Permanently"],
  [302, "Found"],
  [303, "See Other"],
  [304, "Not Modified"],
  [307, "Temporary Redirect"],
  [308, "Permanent Redirect"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [408, "Request Timeout"],
  [413, "Request Entity Too Large"],
  [416, "Requested Range Not Satisfiable"],
  [417, "Expectation Failed"],
  [421, "Misdirected Request"],
  [429, "Too Many Requests"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
  [505, "HTTP Version Not Supported"],
]);

/** Status and fields of each head seen, with their line ends. */
const RENDERED = new WeakMap<ReplyHead, string>();

/** The head of a reply, and its body unless that is a `BodySource`, in one piece. What is ASCII stays text. */
export function renderReply(reply: Reply, context: ReplyContext): string | Uint8Array {
  const { body } = reply;
  const length = lengthOf(body);
  const head = renderHead(reply, length, context);
  if (body === undefined || !hasBody(reply, context)) return head;
  if (typeof body === "string") {
    return length === body.length ? head + body : Buffer.from(head + body);
  }
  if (!(body instanceof Uint8Array)) return head;
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, "latin1");
  bytes.set(body, head.length);
  return bytes;
}

/** Whether the bytes of a body follow the head. */
export function hasBody({ head, body }: Reply, { isHead }: ReplyContext): boolean {
  return !isHead && body !== undefined && !isBodiless(head.status);
}

/** The reply to a request that can't be read. As in Go it has no length and no date, and the connection ends with it. */
export function renderRefusal({ status, reason }: Refusal): string {
  const line = `${status} ${wordsOf(status)}${reason === undefined ? "" : `: ${reason}`}`;
  return `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${line}`;
}

function renderHead({ head, body }: Reply, bodyLength: number, context: ReplyContext): string {
  let rendered = RENDERED.get(head);
  if (rendered === undefined) {
    rendered = ` ${head.status} ${wordsOf(head.status)}\r\n`;
    for (const [name, value] of head.fields) rendered += `${name}: ${value}\r\n`;
    RENDERED.set(head, rendered);
  }
  const { minorVersion, isHead, keepAlive, date } = context;
  // Go says no length for HEAD when the handler wrote nothing.
  const hasLength = !isBodiless(head.status) && !(isHead && body === undefined);
  const length = hasLength ? `Content-Length: ${bodyLength}\r\n` : "";
  const version = minorVersion === 0 ? "HTTP/1.0" : "HTTP/1.1";
  return `${version}${rendered}Date: ${date}\r\n${length}${connectionField(minorVersion, keepAlive)}\r\n`;
}

/** Says what is not the default of the version, except that HTTP/1.0 is not told of a close. */
function connectionField(minorVersion: number, keepAlive: boolean): string {
  if (minorVersion > 0) return keepAlive ? "" : "Connection: close\r\n";
  return keepAlive ? "Connection: keep-alive\r\n" : "";
}

/** RFC 9110, section 6.4.1. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

function lengthOf(body: Reply["body"]): number {
  if (body === undefined) return 0;
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

function wordsOf(status: number): string {
  return WORDS.get(status) ?? `status code ${status}`;
}
