/** A request whose body is arriving. */

import { BODY_BYTES } from "../limits.ts";
import type { HttpRequest, RequestBody } from "../message.ts";
import type { RequestHead } from "./request-head.ts";

const NO_BODY = new Uint8Array(0);

/** Bytes of the first buffer for a body that arrives in pieces. */
const FIRST_ROOM = 2048;

/** The head of a request, and the part of its body that has arrived. */
export class IncomingRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: ReadonlyMap<string, string>;
  body: RequestBody = NO_BODY;
  /** The round of `Awaiting` in which we wait for the body. */
  round = 0;
  /** Bytes of DATA since our last WINDOW_UPDATE of the stream. */
  windowUsed = 0;
  /** The value of Content-Length; -1 if there is none. */
  readonly #promised: number;
  /** Bytes of the head's fields. */
  readonly #headBytes: number;
  #kept: Uint8Array | undefined = undefined;
  #length = 0;

  constructor(head: RequestHead) {
    this.method = head.method ?? "";
    this.target = head.target;
    this.fields = head.fields;
    this.#promised = head.contentLength;
    this.#headBytes = head.size;
  }

  /** Bytes of memory in use. */
  get held(): number {
    return this.#headBytes + (this.#kept?.byteLength ?? 0);
  }

  /**
   * Adds the bytes from `start` up to `end` to the body. `body` is set when this returns `whole` or `too-long`. A body
   * that arrives in one piece is a view of it.
   */
  append(
    bytes: Uint8Array,
    start: number,
    end: number,
    last: boolean,
  ): "more" | "whole" | "too-long" | "malformed" {
    const before = this.#length;
    const length = before + end - start;
    this.#length = length;
    const promised = this.#promised;
    if (promised >= 0 && (length > promised || (last && length < promised))) return "malformed";
    if (length > BODY_BYTES) {
      this.body = "too-long";
      this.#kept = undefined;
      return "too-long";
    }
    if (last && before === 0) {
      if (length > 0) this.body = bytes.subarray(start, end);
      return "whole";
    }
    if (end > start) this.#keep(bytes.subarray(start, end), before);
    if (!last) return "more";
    this.body = this.#kept?.subarray(0, length) ?? NO_BODY;
    return "whole";
  }

  #keep(bytes: Uint8Array, before: number): void {
    const length = before + bytes.byteLength;
    let kept = this.#kept ?? new Uint8Array(Math.max(FIRST_ROOM, length));
    if (kept.byteLength < length) {
      const wider = new Uint8Array(Math.max(2 * kept.byteLength, length));
      wider.set(kept.subarray(0, before));
      kept = wider;
    }
    kept.set(bytes, before);
    this.#kept = kept;
  }
}
