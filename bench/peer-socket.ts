/** The socket of a generated peer. */

import type { Socket } from "bun";

/** Protocols to offer with ALPN, as it goes over the wire. Undefined: the handshake is without ALPN. */
export interface TlsChoice {
  readonly alpn: Buffer | undefined;
}

/** Speaks a protocol on a socket. */
export interface Speaker {
  /** The TLS handshake is over. `protocol` is what the server has chosen with ALPN, if anything. */
  ready?(protocol: string | false | null): void;
  received(chunk: Buffer): void;
  /** The connection is lost, or was closed by our side. Called once. */
  failed(reason: Error): void;
}

/** A connection to 127.0.0.1 that opens with its first bytes and is never reopened. */
export class PeerSocket {
  readonly #port: number;
  readonly #tls: TlsChoice | undefined;
  readonly #speaker: Speaker;
  #socket: Socket<PeerSocket> | undefined;
  #opening = false;
  /** What the socket would not take yet. */
  #unsent: string | Buffer = "";
  #failure: Error | undefined;

  /** `tls`: undefined for a plain connection. Any certificate is taken. */
  constructor(port: number, tls: TlsChoice | undefined, speaker: Speaker) {
    this.#port = port;
    this.#tls = tls;
    this.#speaker = speaker;
  }

  /** Why nothing can be sent any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The port of our end; undefined if it is not open, or no longer. */
  get localPort(): number | undefined {
    return this.#failure === undefined ? this.#socket?.localPort : undefined;
  }

  /** Sends ASCII characters or bytes, in order. */
  write(data: string | Buffer): void {
    this.#unsent =
      this.#unsent.length === 0 ? data : Buffer.concat([asBytes(this.#unsent), asBytes(data)]);
    if (this.#socket !== undefined) this.#flush(this.#socket);
    else if (!this.#opening) void this.#open();
  }

  /** Closes the connection at once. */
  fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    // Terminating calls the close handler at once, so the reason is noted before.
    this.#socket?.terminate();
    this.#speaker.failed(reason);
  }

  async #open(): Promise<void> {
    this.#opening = true;
    try {
      const socket = await Bun.connect<PeerSocket>({
        hostname: "127.0.0.1",
        port: this.#port,
        ...(this.#tls === undefined
          ? {}
          : {
              tls: {
                rejectUnauthorized: false,
                ...(this.#tls.alpn === undefined ? {} : { ALPNProtocols: this.#tls.alpn }),
              },
            }),
        data: this,
        socket: PeerSocket.#handlers,
      });
      this.#socket = socket;
      if (this.#failure === undefined) this.#flush(socket);
      else socket.terminate();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Before the end of a TLS handshake the socket takes nothing; `drain` follows the handshake. */
  #flush(socket: Socket<PeerSocket>): void {
    if (this.#unsent.length === 0) return;
    const written = Math.max(0, socket.write(this.#unsent));
    if (written === this.#unsent.length) this.#unsent = "";
    else if (written > 0) this.#unsent = asBytes(this.#unsent).subarray(written);
  }

  /** One object for all connections: 10,000 of them need no handlers of their own. */
  static readonly #handlers = {
    handshake({ data, alpnProtocol }: Socket<PeerSocket>) {
      data.#speaker.ready?.(alpnProtocol);
    },
    data({ data }: Socket<PeerSocket>, chunk: Buffer) {
      data.#speaker.received(chunk);
    },
    drain(socket: Socket<PeerSocket>) {
      socket.data.#flush(socket);
    },
    close({ data }: Socket<PeerSocket>) {
      data.fail(new Error("the server closed the connection"));
    },
    error({ data }: Socket<PeerSocket>, error: Error) {
      data.fail(error);
    },
    /** The promise of `Bun.connect` rejects too; that one is handled. */
    connectError() {},
  };
}

function asBytes(data: string | Buffer): Buffer {
  return typeof data === "string" ? Buffer.from(data, "latin1") : data;
}
