/** The requests in what a peer sends over HTTP/1, one after the other (RFC 9112). */

import { BODY_BYTES, HEAD_BYTES } from "../limits.ts";
import type { RequestBody } from "../message.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { HeldBytes } from "./held-bytes.ts";
import {
  parseRequestHead,
  type Refusal,
  refusalOfRequestLine,
  type RequestHead,
} from "./request-head.ts";

export interface ReceivedRequest {
  readonly head: RequestHead;
  /** `too-long` and `broken`: nothing after this request can be read. */
  readonly body: RequestBody;
}

const CR = 0x0d;
const LF = 0x0a;
const EMPTY_LINE = Buffer.from("\n\r\n", "latin1");
const EMPTY_LINE_WITHOUT_CR = Buffer.from("\n\n", "latin1");

const NOTHING = Buffer.alloc(0);

/**
 * Is given bytes, cut anywhere, with `give`; then `next` returns the requests in them; then `settle` copies what is left.
 * So a request that comes whole is not copied, and nothing is kept while there is no unfinished one.
 */
export class RequestReader {
  readonly #fields: ReadonlySet<string>;
  #awaited: "request" | "head" | "body" = "request";
  /** From `#at` on: bytes that are not used yet. */
  #input: Buffer = NOTHING;
  #at = 0;
  /** The same, between `settle` and `give`. */
  #held: HeldBytes | undefined = undefined;
  /** Bytes of the unfinished head that were searched for its end. */
  #searched = 0;
  /** The empty line that may come before a head has come. */
  #passedEmptyLine = false;
  /** The request whose body is awaited. */
  #head: RequestHead | undefined = undefined;
  /** That body, if it comes in chunks. */
  #chunks: ChunkedBody | undefined = undefined;

  /** `fields`: names in lower case of those that requests are given with. */
  constructor(fields: ReadonlySet<string>) {
    this.#fields = fields;
  }

  /** What comes next: a new request, or the rest of a head or body. */
  get awaited(): "request" | "head" | "body" {
    return this.#awaited;
  }

  /** Whether the peer may wait for a reply with status 100 before it sends the body that is awaited. */
  get expectsContinue(): boolean {
    return this.#head?.expects === "continue";
  }

  /** Bytes kept that belong to no request yet, or to an unfinished one. After `settle`. */
  get length(): number {
    return this.#held?.length ?? 0;
  }

  /** Bytes of memory that are taken. After `settle`. */
  get size(): number {
    return (this.#held?.size ?? 0) + (this.#chunks?.size ?? 0);
  }

  /** More bytes have come, or none: then those that were kept are to be read on. */
  give(bytes: Uint8Array): void {
    if (this.#held === undefined) {
      this.#input = toBuffer(bytes);
    } else {
      this.#held.append(bytes);
      this.#input = this.#held.bytes;
    }
  }

  /** Keeps a copy of what is left, until the next `give`. */
  settle(): void {
    if (this.#at === this.#input.length) {
      this.#held = undefined;
    } else if (this.#held === undefined) {
      this.#held = new HeldBytes();
      this.#held.append(this.#input.subarray(this.#at));
    } else {
      this.#held.drop(this.#at);
    }
    this.#input = NOTHING;
    this.#at = 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.#awaited = "request";
    this.#input = NOTHING;
    this.#at = 0;
    this.#held = undefined;
    this.#head = undefined;
    this.#chunks = undefined;
  }

  /** The next request; or why what comes is none, and then nothing after it can be read; undefined: it is incomplete. */
  next(): ReceivedRequest | Refusal | undefined {
    if (this.#head !== undefined) return this.#takeBody(this.#head);
    if (this.#at < this.#input.length && !this.#passedEmptyLine) this.#passEmptyLine();
    if (this.#at === this.#input.length) return undefined;
    return this.#takeHead();
  }

  /** The request whose body is awaited, when no more of it will come. */
  breakOff(): ReceivedRequest | undefined {
    return this.#head === undefined ? undefined : this.#finish(this.#head, "broken");
  }

  /** Some clients send an empty line after a body (section 2.2). */
  #passEmptyLine(): void {
    const length = lengthOfEmptyLine(this.#input, this.#at);
    if (length === 0) return;
    this.#passedEmptyLine = true;
    this.#at += length;
    this.#awaited = "request";
    this.#searched = 0;
  }

  #takeHead(): ReceivedRequest | Refusal | undefined {
    const input = this.#input;
    const start = this.#at;
    // The end may have begun in what was searched.
    const end = endOfHead(input, start + Math.max(0, this.#searched - 2));
    if ((end ?? input.length) - start > HEAD_BYTES) {
      return (
        this.#refusalOfRequestLine(start, 0, HEAD_BYTES) ?? { status: 431, bound: "head-size" }
      );
    }
    if (end === undefined) {
      const refusal = this.#refusalOfRequestLine(start, this.#searched, input.length);
      this.#awaited = "head";
      this.#searched = input.length - start;
      return refusal;
    }
    const head = parseRequestHead(input.toString("latin1", start, end), this.#fields);
    if ("status" in head) return head;
    this.#at = end;
    this.#searched = 0;
    this.#passedEmptyLine = false;
    this.#awaited = "body";
    this.#head = head;
    if (head.bodyLength === "chunked") this.#chunks = new ChunkedBody(BODY_BYTES);
    return this.#takeBody(head);
  }

  /** A request line is refused as soon as it is complete: when its end is among these bytes of the head. */
  #refusalOfRequestLine(start: number, from: number, to: number): Refusal | undefined {
    const lineFeed = this.#input.indexOf(LF, start);
    if (lineFeed < start + from || lineFeed >= start + to) return undefined;
    return refusalOfRequestLine(this.#input.toString("latin1", start, lineFeed + 1));
  }

  #takeBody(head: RequestHead): ReceivedRequest | undefined {
    const chunks = this.#chunks;
    if (chunks === undefined) {
      const length = head.bodyLength === "chunked" ? 0 : head.bodyLength;
      if (length === 0 || head.expects === "unknown") return this.#finish(head, NOTHING);
      if (length > BODY_BYTES) return this.#finish(head, "too-long");
      const end = this.#at + length;
      if (end > this.#input.length) return undefined;
      const body = this.#input.subarray(this.#at, end);
      this.#at = end;
      return this.#finish(head, body);
    }
    if (head.expects === "unknown") return this.#finish(head, NOTHING);
    this.#at = chunks.take(this.#input, this.#at);
    switch (chunks.state) {
      case "incomplete":
        return undefined;
      case "complete":
        return this.#finish(head, chunks.bytes);
      case "too-long":
        return this.#finish(head, "too-long");
      case "malformed":
        return this.#finish(head, "broken");
    }
  }

  #finish(head: RequestHead, body: RequestBody): ReceivedRequest {
    this.#awaited = "request";
    this.#head = undefined;
    this.#chunks = undefined;
    return { head, body };
  }
}

/** Bytes of the empty line at this place; 0 if there is none. */
function lengthOfEmptyLine(input: Buffer, at: number): number {
  if (input[at] === LF) return 1;
  return input[at] === CR && input[at + 1] === LF ? 2 : 0;
}

/** Where the bytes after an empty line begin; undefined if there is none from `from` on. Lines end in CRLF or LF. */
function endOfHead(input: Buffer, from: number): number | undefined {
  const end = input.indexOf(EMPTY_LINE, from);
  const before = end === -1 ? input : input.subarray(0, end + 1);
  const earlierEnd = before.indexOf(EMPTY_LINE_WITHOUT_CR, from);
  if (earlierEnd !== -1) return earlierEnd + EMPTY_LINE_WITHOUT_CR.length;
  return end === -1 ? undefined : end + EMPTY_LINE.length;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
