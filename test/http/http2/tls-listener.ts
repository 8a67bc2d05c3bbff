/** HTTP/2 on real sockets of the loopback interface, without any limits of time. */

import { Http2 } from "../../../src/http/http2/http2.ts";
import type { Bound } from "../../../src/http/limits.ts";
import type { Handler } from "../../../src/http/message.ts";
import type { ProtocolParts } from "../../../src/http/server-parts.ts";
import type { Wire } from "../../../src/http/wire.ts";
import { ANY_CERTIFICATE } from "../../tls/any-certificate.ts";

const ALPN = Buffer.from("\x02h2");

export interface TlsListener extends Disposable {
  readonly port: number;
  readonly url: string;
  /** The bounds that have struck, on whatever connection. */
  readonly struck: readonly Bound[];
  /** What handlers threw. */
  readonly bugs: readonly unknown[];
}

/** Listens with TLS. Every connection is spoken on with HTTP/2. */
export function startTlsListener(
  handler: Handler,
  fields: ReadonlySet<string> = new Set(),
): TlsListener {
  const struck: Bound[] = [];
  const bugs: unknown[] = [];
  const date = () => new Date(1_800_000_000_000).toUTCString();
  const parts: ProtocolParts = { handler, fields, date, onBug: (error) => bugs.push(error) };
  const listener = Bun.listen<SocketWire | undefined>({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    tls: { ...ANY_CERTIFICATE, ALPNProtocols: ALPN },
    socket: {
      open() {},
      handshake(socket, ok) {
        if (ok) socket.data = new SocketWire(socket, struck, parts);
      },
      data: (socket, bytes) => socket.data?.receive(bytes),
      end: (socket) => socket.data?.receivedEnd(),
      drain: (socket) => socket.data?.drained(),
      close: (socket) => socket.data?.closed(),
      error() {},
    },
  });
  return {
    port: listener.port,
    url: `https://127.0.0.1:${listener.port}/`,
    struck,
    bugs,
    [Symbol.dispose]: () => listener.stop(true),
  };
}

interface Socket {
  readonly remoteAddress: string;
  write(bytes: Uint8Array): number;
  shutdown(): void;
  end(): void;
  terminate(): void;
}

class SocketWire implements Wire {
  readonly #socket: Socket;
  readonly #struck: Bound[];
  readonly #protocol: Http2;
  #queue: Uint8Array[] = [];
  #unsent = 0;
  #finished = false;
  #closed = false;
  #peerEnded = false;

  constructor(socket: Socket, struck: Bound[], parts: ProtocolParts) {
    this.#socket = socket;
    this.#struck = struck;
    this.#protocol = new Http2(this, parts);
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }

  get unsent(): number {
    return this.#unsent;
  }

  receive(bytes: Uint8Array): void {
    if (!this.#finished) this.#protocol.receive(bytes);
  }

  receivedEnd(): void {
    this.#peerEnded = true;
    if (this.#finished) this.#socket.end();
    else this.#protocol.receivedEnd();
  }

  drained(): void {
    this.#flush();
    if (this.#unsent === 0 && !this.#finished) this.#protocol.drained();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#protocol.ended();
  }

  await(): void {}

  hold(): boolean {
    return true;
  }

  write(data: Uint8Array | string): void {
    if (this.#finished || this.#closed) return;
    if (this.#queue.length === 0) queueMicrotask(() => this.#flush());
    this.#queue.push(typeof data === "string" ? Buffer.from(data) : data);
  }

  finish(): void {
    this.#finished = true;
    queueMicrotask(() => this.#flush());
  }

  cut(): void {
    this.#socket.terminate();
  }

  struck(bound: Bound): void {
    this.#struck.push(bound);
  }

  #flush(): void {
    if (this.#closed) return;
    const bytes = Buffer.concat(this.#queue);
    const taken = bytes.length === 0 ? 0 : Math.max(0, this.#socket.write(bytes));
    this.#unsent = bytes.length - taken;
    this.#queue = this.#unsent === 0 ? [] : [bytes.subarray(taken)];
    if (!this.#finished || this.#unsent > 0) return;
    if (this.#peerEnded) this.#socket.end();
    else this.#socket.shutdown();
  }
}
