/** A frontend's connection to its core, which is made again whenever it is lost. */

import type { Clock } from "../../broker/clock.ts";
import { BackOff, LONGEST_WAIT } from "./back-off.ts";
import type { ByteReader } from "./byte-reader.ts";
import { type Codec, decodePayload, TEXT } from "./codec.ts";
import { errorCode } from "./error-code.ts";
import { FrameSocket } from "./frame-socket.ts";
import { FRAME_KIND, type OnFrame, PROTOCOL_VERSION } from "./frame.ts";
import { HELLO } from "./hello.ts";
import { HELLO_DEADLINE } from "./limits.ts";

export interface CoreConnectionParts {
  /** Where the core's socket is. */
  readonly path: string;
  readonly clock: Clock;
  /** A number from 0 up to 1, to spread attempts to reconnect. */
  readonly random: () => number;
  /** Bytes kept for a core that does not read them. */
  readonly maxKept: number;
  /** What an operator may want to know; the same is not said twice in a row. */
  readonly report: (message: string) => void;
  /** The core may be called from now on. */
  readonly onReady: () => void;
  /** It may no longer; nothing that was sent counts. Called once after each `onReady`. */
  readonly onLost: () => void;
  readonly onFrame: OnFrame;
}

/** Milliseconds that the core is given to take what is left for it. */
const CLOSE_TIMEOUT = 1_000;

/** The longest refusal that is reported, in UTF-16 code units. */
const MAX_REASON = 200;

export class CoreConnection {
  readonly #parts: CoreConnectionParts;
  readonly #backOff: BackOff;
  /** The socket of this moment, greeted or not. */
  #frames: FrameSocket | undefined;
  #readySince: number | undefined;
  #refusal: string | undefined;
  #lastReport = "";
  #closed = false;
  #cancelTimer = () => {};

  /** Begins to connect at once, and does not give up until it is closed. */
  constructor(parts: CoreConnectionParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(parts.random);
    void this.#connect();
  }

  /** Whether the core may be called. */
  get ready(): boolean {
    return this.#readySince !== undefined;
  }

  /** Bytes that the core has not taken yet. */
  get unsent(): number {
    return this.#frames?.unsent ?? 0;
  }

  /** Sends a frame, to a core that is ready; false if it would be too long. */
  send<T>(kind: number, id: number, codec: Codec<T>, value: T): boolean {
    return this.#frames?.send(kind, id, codec, value) ?? true;
  }

  /** Closes the connection for good, once what was sent is delivered or a second has passed. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    const frames = this.#frames;
    if (frames === undefined) return;
    frames.end();
    const { clock } = this.#parts;
    this.#cancelTimer = clock.callAt(clock.now() + CLOSE_TIMEOUT, () => frames.cut("closed here"));
  }

  async #connect(): Promise<void> {
    try {
      await Bun.connect<FrameSocket | undefined>({
        unix: this.#parts.path,
        data: undefined,
        socket: {
          open: (socket) => {
            socket.data = this.#greet(socket);
          },
          data: (socket, chunk) => socket.data?.onData(chunk),
          drain: (socket) => socket.data?.onDrain(),
          close: (socket) => socket.data?.onClose(),
          error: (socket, error) => socket.data?.cut(errorCode(error)),
        },
      });
    } catch (error) {
      this.#report(`cannot reach the core: ${errorCode(error)}`);
      this.#tryAgain();
    }
  }

  #greet(socket: Bun.Socket<FrameSocket | undefined>): FrameSocket {
    const { clock, maxKept, onFrame } = this.#parts;
    const frames = new FrameSocket({
      socket,
      maxKept,
      onFrame: (kind, id, payload) =>
        this.ready ? onFrame(kind, id, payload) : this.#onHello(kind, payload),
      onClosed: (reason) => this.#onClosed(reason),
    });
    this.#frames = frames;
    this.#refusal = undefined;
    this.#cancelTimer = clock.callAt(clock.now() + HELLO_DEADLINE, () => {
      frames.cut("it sent no hello");
    });
    frames.send(FRAME_KIND.hello, 0, HELLO, { version: PROTOCOL_VERSION, role: "http-frontend" });
    if (this.#closed) frames.end();
    return frames;
  }

  #onHello(kind: number, payload: ByteReader): boolean {
    if (kind === FRAME_KIND.refused) {
      this.#refusal = decodePayload(TEXT, payload)?.slice(0, MAX_REASON);
      return false;
    }
    const hello = kind === FRAME_KIND.hello ? decodePayload(HELLO, payload) : undefined;
    if (hello?.version !== PROTOCOL_VERSION || hello.role !== "core") return false;
    this.#cancelTimer();
    this.#readySince = this.#parts.clock.now();
    this.#report("connected to the core");
    this.#parts.onReady();
    return true;
  }

  #onClosed(reason: string): void {
    this.#cancelTimer();
    this.#frames = undefined;
    const since = this.#readySince;
    this.#readySince = undefined;
    if (since !== undefined) {
      // A connection that is lost again and again as soon as it is made is a failure like any other.
      if (this.#parts.clock.now() - since > LONGEST_WAIT) this.#backOff.reset();
      this.#parts.onLost();
    }
    if (this.#closed) return;
    this.#report(
      this.#refusal === undefined
        ? `the connection to the core is lost: ${reason}`
        : `the core refuses this frontend: ${this.#refusal}`,
    );
    this.#tryAgain();
  }

  #tryAgain(): void {
    if (this.#closed) return;
    const { clock } = this.#parts;
    this.#cancelTimer = clock.callAt(
      clock.now() + this.#backOff.next(),
      () => void this.#connect(),
    );
  }

  #report(message: string): void {
    if (message === this.#lastReport) return;
    this.#lastReport = message;
    this.#parts.report(message);
  }
}
