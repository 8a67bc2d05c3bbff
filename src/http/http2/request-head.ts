/** Builds the head of a request from its header fields, by the rules of RFC 9113 sections 8.1 to 8.3. */

import { HEAD_BYTES, HEAD_FIELDS } from "../limits.ts";
import type { FieldSink } from "./hpack/field-block.ts";
import type { Field } from "./hpack/field.ts";

/** `malformed` is an error of the peer. The others are bounds of ours. */
export type HeadFault = "malformed" | "head-size" | "field-count";

/**
 * Bytes of fields after which decoding stops and the connection ends. A head that is only somewhat too long is decoded
 * to its end, to keep the table in step with the peer's. But one byte of a block can name an entry of 4,096 bytes.
 */
const BOMB_BYTES = 4 * HEAD_BYTES;

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** Collects the fields of one block. All connections share one, since a block is decoded without interruption. */
export class RequestHead implements FieldSink {
  method: string | undefined = undefined;
  authority: string | undefined = undefined;
  /** The value of Content-Length; -1 if there is none. */
  contentLength = -1;
  /** Whether the peer waits for status 100 before it sends a body. */
  expectsContinue = false;
  /** Bytes of all fields, as HPACK counts. */
  size = 0;
  #scheme: string | undefined = undefined;
  #path: string | undefined = undefined;
  #host: string | undefined = undefined;
  #fields: Map<string, string> | undefined = undefined;
  #count = 0;
  #trailers = false;
  #pseudoOver = false;
  #malformed = false;

  /** Starts a new block. Trailers are checked, but not kept. */
  begin(trailers: boolean): void {
    this.method = undefined;
    this.authority = undefined;
    this.contentLength = -1;
    this.expectsContinue = false;
    this.size = 0;
    this.#scheme = undefined;
    this.#path = undefined;
    this.#host = undefined;
    this.#fields = undefined;
    this.#count = 0;
    this.#trailers = trailers;
    this.#pseudoOver = trailers;
    this.#malformed = false;
  }

  field(field: Field): boolean {
    this.size += field.size;
    this.#count++;
    if (this.size > HEAD_BYTES || this.#count > HEAD_FIELDS) return this.size <= BOMB_BYTES;
    if (!field.valid) this.#malformed = true;
    else if (!this.#trailers) this.#take(field);
    else if (isPseudo(field)) this.#malformed = true;
    return true;
  }

  /** What is wrong with the whole block. Undefined: nothing. */
  get fault(): HeadFault | undefined {
    if (this.size > HEAD_BYTES) return "head-size";
    if (this.#count > HEAD_FIELDS) return "field-count";
    return this.#malformed || !(this.#trailers || this.#isRequest()) ? "malformed" : undefined;
  }

  /** The request target, as HTTP/1.1 writes it. */
  get target(): string {
    return (this.method === "CONNECT" ? this.authority : this.#path) ?? "";
  }

  /** The fields that the handler asked for. */
  get fields(): ReadonlyMap<string, string> {
    return this.#fields ?? NO_FIELDS;
  }

  #isRequest(): boolean {
    const { authority } = this;
    const host = this.#host;
    if (authority === "") return false;
    if (host !== undefined && authority !== undefined) {
      if (host !== authority && host.toLowerCase() !== authority.toLowerCase()) return false;
    }
    if (this.method === "CONNECT") {
      return authority !== undefined && this.#scheme === undefined && this.#path === undefined;
    }
    if (this.method === undefined || this.method === "") return false;
    if (this.#scheme !== "https" && this.#scheme !== "http") return false;
    return (
      this.#path?.startsWith("/") === true || (this.#path === "*" && this.method === "OPTIONS")
    );
  }

  #take(field: Field): void {
    const { name, value } = field;
    if (!isPseudo(field)) this.#pseudoOver = true;
    else if (this.#pseudoOver) this.#malformed = true;
    switch (name.kind) {
      case "method":
        this.method = this.#once(this.method, value);
        return;
      case "scheme":
        this.#scheme = this.#once(this.#scheme, value);
        return;
      case "path":
        this.#path = this.#once(this.#path, value);
        return;
      case "authority":
        this.authority = this.#once(this.authority, value);
        break;
      case "host":
        this.#host = this.#once(this.#host, value);
        break;
      case "content-length":
        this.#takeContentLength(value);
        break;
      case "te":
        if (value.toLowerCase() !== "trailers") this.#malformed = true;
        break;
      case "expect":
        if (value.toLowerCase() === "100-continue") this.expectsContinue = true;
        break;
      case "plain":
      case "forbidden":
    }
    if (name.wanted) this.#keep(name.text, value);
  }

  #once(before: string | undefined, value: string): string {
    if (before !== undefined) this.#malformed = true;
    return value;
  }

  #takeContentLength(value: string): void {
    const length = Number(value);
    const differs = this.contentLength !== -1 && this.contentLength !== length;
    if (value === "" || differs) this.#malformed = true;
    this.contentLength = length;
  }

  #keep(name: string, value: string): void {
    this.#fields ??= new Map();
    const before = this.#fields.get(name);
    // Host repeats the authority, and repeated lengths are equal. Cookies may be split into several fields.
    if (before === undefined) this.#fields.set(name, value);
    else if (name !== "host" && name !== "content-length") {
      this.#fields.set(name, `${before}${name === "cookie" ? "; " : ", "}${value}`);
    }
  }
}

function isPseudo({ name }: Field): boolean {
  const { kind } = name;
  return kind === "method" || kind === "scheme" || kind === "path" || kind === "authority";
}
