/** A peer of one connection, without a socket: sends frames, and keeps what comes back. */

import { Http2 } from "../../../src/http/http2/http2.ts";
import type {
  Exchange,
  Handler,
  Reply,
  ReplyHead,
  RequestBody,
} from "../../../src/http/message.ts";
import { FakeWire } from "../fake-wire.ts";
import {
  type Frame,
  type FrameType,
  ping,
  PREFACE,
  readBlock,
  readFrames,
  settings,
} from "./frames.ts";

/** A wire that also knows what it was told at most and how often. */
class PeerWire extends FakeWire {
  /** The most bytes that were ever held. */
  mostHeld = 0;
  finishes = 0;

  override hold(bytes: number): boolean {
    this.mostHeld = Math.max(this.mostHeld, bytes);
    return super.hold(bytes);
  }

  override finish(): void {
    this.finishes++;
    super.finish();
  }

  get finished(): boolean {
    return this.state !== "open";
  }
}

/** A request as its handler saw it. */
export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
  readonly exchange: Exchange;
}

/** How bytes are cut when they arrive. */
export type Cut = (bytes: Buffer) => Buffer[];

export const CUTS: readonly (readonly [name: string, cut: Cut])[] = [
  ["whole", (bytes) => [bytes]],
  ["byte by byte", (bytes) => [...bytes.keys()].map((at) => bytes.subarray(at, at + 1))],
  [
    "cut anywhere",
    (bytes) => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + Math.floor(Math.random() * 40);
        pieces.push(bytes.subarray(at, end));
        at = end;
      }
      return pieces;
    },
  ],
];

export interface PeerOptions {
  readonly cut?: Cut;
  /** Called after the request was noted. By default nobody replies. */
  readonly handler?: Handler;
  readonly fields?: readonly string[];
}

export const OK: ReplyHead = { status: 200, fields: [["Content-Type", "text/plain"]] };
export const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";

export class Peer {
  readonly wire = new PeerWire();
  readonly protocol: Http2;
  readonly seen: Seen[] = [];
  readonly bugs: unknown[] = [];
  readonly #cut: Cut;

  constructor(options: PeerOptions = {}) {
    this.#cut = options.cut ?? ((bytes) => [bytes]);
    this.protocol = this.wire.speak(
      new Http2(this.wire, {
        handler: (request, exchange) => {
          const { method, target, body } = request;
          const fields = Object.fromEntries(request.fields);
          this.seen.push({ method, target, fields, body: bodyText(body), exchange });
          options.handler?.(request, exchange);
        },
        fields: new Set(options.fields ?? []),
        date: () => DATE,
        onBug: (error) => this.bugs.push(error),
      }),
    );
  }

  /** A peer that has greeted and was greeted. */
  static greeted(options: PeerOptions = {}): Peer {
    const peer = new Peer(options);
    peer.send(PREFACE, settings());
    peer.take();
    return peer;
  }

  send(...frames: readonly Buffer[]): void {
    for (const piece of this.#cut(Buffer.concat(frames))) {
      // Nobody else may change what was received: a copy, so that a view that is kept is seen to be one.
      this.wire.send(Buffer.from(piece));
    }
  }

  /** The frames that have come since somebody looked. */
  take(): Frame[] {
    return readFrames(this.wire.take());
  }

  /** The same, in short. */
  takeShort(): string[] {
    return this.take().map(short);
  }

  /** Whether the connection still answers. */
  get isAlive(): boolean {
    if (this.wire.finished) return false;
    this.send(ping("alive?!?"));
    return this.take().some(({ type, payload }) => type === "PING" && payload.equals(ALIVE));
  }

  /** The exchange of the last request. */
  get exchange(): Exchange {
    const last = this.seen.at(-1);
    if (last === undefined) throw new Error("no request");
    return last.exchange;
  }
}

const ALIVE = Buffer.from("alive?!?");

/** Replies 200 at once. */
export function replying(body: Reply["body"]): Handler {
  return (_, exchange) => exchange.reply({ head: OK, body });
}

function bodyText(body: RequestBody): string {
  return typeof body === "string" ? `(${body})` : Buffer.from(body).toString("latin1");
}

/** The names of the error codes, by RFC 9113 section 7. */
const CODES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
];

/** `1 DATA 5 end`, `3 HEADERS 200`, `1 RST_STREAM CANCEL`, `GOAWAY 3 NO_ERROR`. */
export function short({ type, flags, stream, payload }: Frame): string {
  const end = flags & 1 ? " end" : "";
  const byType: Partial<Record<FrameType, () => string>> = {
    DATA: () => `${payload.length}${end}`,
    HEADERS: () => `${readBlock(payload).find(([name]) => name === ":status")?.[1]}${end}`,
    RST_STREAM: () => String(CODES[payload.readUInt32BE()]),
    GOAWAY: () => `${payload.readUInt32BE()} ${CODES[payload.readUInt32BE(4)]}`,
    WINDOW_UPDATE: () => String(payload.readUInt32BE()),
    SETTINGS: () => (flags & 1 ? "ack" : String(payload.length / 6)),
    PING: () => `${payload.toString("latin1")}${flags & 1 ? " ack" : ""}`,
  };
  return `${stream === 0 ? "" : `${stream} `}${type} ${byType[type]?.() ?? ""}`.trimEnd();
}
