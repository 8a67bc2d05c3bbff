/** HTTP/2 over TLS for the load generator: one request at a time, and no more of the protocol than that needs. */

import {
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  pingFrame,
  readU31,
  SETTING,
  SETTINGS_ACK,
  settingsFrame,
  windowUpdateFrame,
} from "../src/http/http2/frame.ts";
import { STATIC_TABLE } from "../src/http/http2/hpack/static-table.ts";
import { type Connection, type Pending, RESPONSE_LIMIT } from "./http-connection.ts";
import type { HttpResponse } from "./http-response.ts";
import { encodePost } from "./http2-request.ts";
import { PeerSocket, type Speaker } from "./peer-socket.ts";

const ALPN = Buffer.from("\x02h2", "latin1");

/**
 * What a client sends first. No window of ours closes: a stream's holds the longest response, and that of the connection
 * more than any run brings, 2 GB.
 */
const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"),
  settingsFrame([
    [SETTING.enablePush, 0],
    [SETTING.initialWindowSize, 2 ** 20],
  ]),
  windowUpdateFrame(0, MAX_WINDOW - DEFAULT_WINDOW),
]);

/** A connection that is kept. It opens with the first request and is never reopened. */
export class Http2Connection implements Connection, Speaker {
  readonly #authority: string;
  readonly #socket: PeerSocket;
  #pending: Pending | undefined;
  #stream = -1;
  /** Bytes of bodies that the server takes before it opens the connection's window again. */
  #window = DEFAULT_WINDOW;
  #received: Buffer = NOTHING;
  #status = 0;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #leaving = false;

  /** Any certificate is taken. */
  constructor(port: number) {
    this.#authority = `127.0.0.1:${port}`;
    this.#socket = new PeerSocket(port, { alpn: ALPN }, this);
  }

  /** Whether it can carry another request, or could when the server was last heard. */
  get isOpen(): boolean {
    return this.#socket.failure === undefined && !this.#leaving;
  }

  /** Posts an ASCII body for a peer of that address. Rejects if the connection fails or the server resets the stream. */
  async post(path: string, body: string, forwardedFor: string): Promise<HttpResponse> {
    if (this.#socket.failure !== undefined) throw this.#socket.failure;
    if (this.#pending !== undefined) throw new Error("a request is in flight");
    if (body.length > Math.min(this.#window, MAX_FRAME_BYTES))
      throw new Error("the server opens no window");
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    this.#pending = { resolve, reject };
    this.#window -= body.length;
    const isFirst = this.#stream < 0;
    this.#stream += 2;
    const request = encodePost(this.#stream, this.#authority, path, body, forwardedFor);
    this.#socket.write(isFirst ? Buffer.concat([PREFACE, request]) : request);
    return promise;
  }

  /** Closes; a request in flight rejects. */
  close(): void {
    this.#socket.fail(new Error("connection closed"));
  }

  /** The handshake is over. */
  ready(protocol: string | false | null): void {
    if (protocol !== "h2") this.#socket.fail(new Error("the server does not speak HTTP/2"));
  }

  /** Bytes have come. */
  received(chunk: Buffer): void {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end - at > FRAME_HEADER_BYTES + MAX_FRAME_BYTES)
        return this.#socket.fail(new Error("a frame longer than allowed"));
      if (bytes.length < end) break;
      this.#takeFrame(
        bytes[at + 3] ?? 0,
        bytes[at + 4] ?? 0,
        readU31(bytes, at + 5),
        bytes.subarray(at + FRAME_HEADER_BYTES, end),
      );
      if (this.#socket.failure !== undefined) return;
      at = end;
    }
    this.#received = at === bytes.length ? NOTHING : bytes.subarray(at);
  }

  /** The connection is lost. */
  failed(reason: Error): void {
    this.#pending?.reject(reason);
    this.#pending = undefined;
  }

  #takeFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case FRAME.headers:
      case FRAME.data:
        this.#takeResponse(type, flags, stream, payload);
        break;
      case FRAME.settings:
        if ((flags & FLAG.ack) === 0) this.#socket.write(Buffer.from(SETTINGS_ACK));
        break;
      case FRAME.ping:
        if ((flags & FLAG.ack) === 0) this.#socket.write(Buffer.from(pingFrame(FLAG.ack, payload)));
        break;
      case FRAME.windowUpdate:
        if (stream === 0) this.#window += readU31(payload, 0);
        break;
      case FRAME.rstStream:
        if (stream === this.#stream) this.#socket.fail(new Error("the server reset the stream"));
        break;
      case FRAME.goAway:
        this.#leave(readU31(payload, 0));
        break;
      // A status is in the first bytes of a head, so what continues one is not needed.
      default:
    }
  }

  #takeResponse(type: number, flags: number, stream: number, payload: Buffer): void {
    const pending = this.#pending;
    if (pending === undefined || stream !== this.#stream)
      return this.#socket.fail(new Error("a frame of no request"));
    if ((flags & FLAG.padded) !== 0) return this.#socket.fail(new Error("a padded frame"));
    if (type === FRAME.data) {
      this.#bodyBytes += payload.length;
      if (this.#bodyBytes > RESPONSE_LIMIT)
        return this.#socket.fail(new Error("response too long"));
      this.#body.push(payload);
    } else if (this.#status === 0) {
      this.#status = readStatus(payload, (flags & FLAG.priority) === 0 ? 0 : PRIORITY_BYTES);
    }
    if ((flags & FLAG.endStream) === 0) return;
    const response = { status: this.#status, body: Buffer.concat(this.#body).toString() };
    this.#status = 0;
    this.#body = [];
    this.#bodyBytes = 0;
    this.#pending = undefined;
    if (this.#leaving) this.#socket.fail(new Error(LEFT));
    pending.resolve(response);
  }

  /** The server takes no more streams, and will still answer those up to `last`. */
  #leave(last: number): void {
    this.#leaving = true;
    if (this.#pending === undefined || this.#stream > last) this.#socket.fail(new Error(LEFT));
  }
}

const NOTHING: Buffer = Buffer.alloc(0);
const LEFT = "the server closed the connection";

/** Bytes of a head's frame that tell its priority. */
const PRIORITY_BYTES = 5;
/** Begins an entry of the static table. */
const INDEXED = 0x80;
const UNREAD_STATUS = 1;

/**
 * The status with which a head begins, if it is an entry of the static table, as 200 is; otherwise 1, since no request
 * of the generator should get it. So heads need not be decoded, nor a dynamic table be kept.
 */
function readStatus(block: Buffer, start: number): number {
  const first = block[start] ?? 0;
  const [name, value] = STATIC_TABLE[(first & ~INDEXED) - 1] ?? [];
  return (first & INDEXED) !== 0 && name === ":status" ? Number(value) : UNREAD_STATUS;
}
