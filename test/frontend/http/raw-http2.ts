/** HTTP/2 as frames on a TLS connection (RFC 9113), for what no client library would send or show. */

import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

import { until } from "../../interop/waiting.ts";

/** Types of frames. */
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

/** Flags. */
export const NONE = 0;
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

/** Error codes. */
export const PROTOCOL_ERROR = 1;
export const FLOW_CONTROL_ERROR = 3;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const CANCEL = 8;
export const COMPRESSION_ERROR = 9;
export const ENHANCE_YOUR_CALM = 11;

/** Settings. */
export const MAX_CONCURRENT_STREAMS = 3;
export const INITIAL_WINDOW_SIZE = 4;
export const MAX_FRAME_SIZE = 5;
export const MAX_HEADER_LIST_SIZE = 6;

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Statuses as HPACK has them, in hexadecimal: entries of the static table, and one that is not in it. */
const STATUSES = [
  ["88", 200],
  ["8c", 400],
  ["0803343331", 431],
] as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** A 32-bit number: the payload of RST_STREAM and WINDOW_UPDATE. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The payload of SETTINGS. */
export function settings(values: Readonly<Record<number, number>>): Buffer {
  return Buffer.concat(
    Object.entries(values).map(([id, value]) =>
      Buffer.concat([Buffer.of(0, Number(id)), uint32(value)]),
    ),
  );
}

/** A field of a header list, which no table is to remember (HPACK, RFC 7541). */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), hpackString(name), hpackString(value)]);
}

/** A string that is not compressed, after its length in seven bits or more. */
export function hpackString(text: string): Buffer {
  const length: number[] = [];
  let rest = text.length - 127;
  if (rest < 0) {
    length.push(text.length);
  } else {
    length.push(127);
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text, "latin1")]);
}

/** The header list of a request, with more fields after those that it needs. */
export function headerList(method: string, path: string, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat([
    field(":method", method),
    field(":scheme", "https"),
    field(":path", path),
    field(":authority", "a.example"),
    ...fields,
  ]);
}

export function get(stream: number, path = "/robots.txt"): Buffer {
  return frame(HEADERS, END_STREAM | END_HEADERS, stream, headerList("GET", path));
}

export function post(
  stream: number,
  path: string,
  body: string,
  ...fields: readonly Buffer[]
): Buffer {
  return Buffer.concat([
    frame(HEADERS, END_HEADERS, stream, headerList("POST", path, ...fields)),
    frame(DATA, END_STREAM, stream, Buffer.from(body)),
  ]);
}

export function ping(): Buffer {
  return frame(PING, NONE, 0, Buffer.alloc(8));
}

export function reset(stream: number): Buffer {
  return frame(RST_STREAM, NONE, stream, uint32(CANCEL));
}

/** A connection whose handshake is over. */
export class Http2Connection {
  /** All that came. */
  readonly frames: Frame[] = [];
  closed = false;
  readonly #socket: TLSSocket;
  #unparsed = Buffer.alloc(0);

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#parse(bytes));
    socket.on("close", () => {
      this.closed = true;
    });
    // A reset is one way of closing.
    socket.on("error", () => {});
  }

  /** Sends the preface and these settings, and waits until the server has acknowledged them. */
  static async open(port: number, values: Readonly<Record<number, number>> = {}) {
    const socket = connect({
      ...{ host: "127.0.0.1", port, rejectUnauthorized: false },
      ALPNProtocols: ["h2"],
    });
    await once(socket, "secureConnect");
    const connection = new Http2Connection(socket);
    connection.send(Buffer.from(PREFACE), frame(SETTINGS, NONE, 0, settings(values)));
    await connection.until("acknowledgement", () =>
      connection.frames.some(({ type, flags }) => type === SETTINGS && flags === ACK),
    );
    return connection;
  }

  /** Returns whether there is room for more right now. */
  send(...frames: readonly Uint8Array[]): boolean {
    return this.#socket.write(Buffer.concat(frames));
  }

  /**
   * Sends what `next` makes, so many at a time, until the server closes the connection or `count` were sent; returns how
   * many.
   */
  async flood(count: number, next: (serial: number) => Uint8Array, atATime = 100): Promise<number> {
    let sent = 0;
    while (sent < count && !this.closed) {
      const block: Uint8Array[] = [];
      for (let i = 0; i < atATime && sent < count; i++) block.push(next(sent++));
      this.send(...block);
      // Lets what comes be read.
      await Bun.sleep(1);
    }
    return sent;
  }

  /** Takes nothing more off the connection. */
  stopReading(): void {
    this.#socket.pause();
  }

  end(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  async until(what: string, holds: () => boolean, bound = 5_000): Promise<void> {
    await until(bound, what, () => (holds() ? true : undefined));
  }

  /** What the server said before it closed the connection; undefined: nothing. */
  async goAway(bound = 5_000): Promise<number | undefined> {
    await this.until("end of the connection", () => this.closed, bound);
    return this.frames.findLast(({ type }) => type === GOAWAY)?.payload.readUInt32BE(4);
  }

  /** The status of a response, or the error code with which its stream was reset. */
  async outcome(stream: number): Promise<{ status: number } | { reset: number }> {
    const answer = () =>
      this.frames.find(
        ({ stream: id, type }) => id === stream && (type === HEADERS || type === RST_STREAM),
      );
    await this.until(`response on stream ${stream}`, () => answer() !== undefined);
    const { type, payload } = answer() ?? frameMissing();
    if (type === RST_STREAM) return { reset: payload.readUInt32BE() };
    const hex = payload.toString("hex");
    return { status: STATUSES.find(([start]) => hex.startsWith(start))?.[1] ?? frameMissing(hex) };
  }

  #parse(bytes: Buffer): void {
    this.#unparsed = Buffer.concat([this.#unparsed, bytes]);
    while (this.#unparsed.length >= 9) {
      const end = 9 + this.#unparsed.readUIntBE(0, 3);
      if (this.#unparsed.length < end) return;
      this.frames.push({
        type: this.#unparsed.readUInt8(3),
        flags: this.#unparsed.readUInt8(4),
        stream: this.#unparsed.readUInt32BE(5) & 0x7f_ff_ff_ff,
        payload: Buffer.from(this.#unparsed.subarray(9, end)),
      });
      this.#unparsed = this.#unparsed.subarray(end);
    }
  }
}

function frameMissing(found = "nothing"): never {
  throw new Error(`a response of another kind: ${found}`);
}
