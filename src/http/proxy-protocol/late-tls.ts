/**
 * TLS that begins after a PROXY header. `Bun.listen` begins it with the first byte, so here the runtime's `node:net` and
 * `node:tls` stand in for it.
 */

import { createServer, type Socket as Stream } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";

import type { Connection } from "../connection.ts";
import {
  HUNG_UP,
  type Listening,
  type ListenParts,
  reasonOf,
  type TlsCredentials,
  tlsOptions,
} from "../sockets.ts";
import { TIME_LIMITS } from "../time-limits.ts";
import type { Socket } from "../transport.ts";
import { AwaitedHeader } from "./awaited-header.ts";

/** As `listen` of `sockets.ts`, for connections that begin with a PROXY header and then with TLS. */
export function listenForLateTls(parts: ListenParts, tls: TlsCredentials): Listening {
  let secureContext = createSecureContext(tlsOptions(tls));
  const { hostname = "::", port, sharePort } = parts;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (stream) => {
    open(stream, parts, secureContext);
  });
  // It comes later than it is known.
  server.on("error", () => {});
  server.listen({ host: hostname, port, reusePort: sharePort });
  const address = server.address();
  if (address === null || typeof address === "string") {
    // Throws the error that this one had.
    Bun.listen({ hostname, port, socket: { data() {} } }).stop();
    throw new Error("the port could not be had just now");
  }
  return {
    port: address.port,
    replaceCertificate(replacement) {
      secureContext = createSecureContext(tlsOptions(replacement));
    },
    stop: () => server.close(),
  };
}

function open(stream: Stream, parts: ListenParts, secureContext: SecureContext): void {
  const socket = new LateTls(stream);
  const connection = parts.accept(socket);
  if (connection === undefined) {
    stream.destroy();
    return;
  }
  const header = new AwaitedHeader(connection, (rest) => {
    // The runtime says `close` as soon as the peer has ended its TLS, though the reply can still be written.
    for (const event of ["data", "end", "close"]) stream.removeAllListeners(event);
    // What follows is for whoever reads next.
    stream.pause();
    if (rest.length > 0) stream.unshift(rest);
    connection.opens("handshake");
    socket.start(secureContext, connection, parts);
  });
  stream.on("data", (bytes: Buffer) => header.received(bytes));
  stream.on("end", () => header.receivedEnd());
  stream.on("close", () => header.closed());
  // Every error is followed by `close`.
  stream.on("error", () => {});
}

/** Bytes that are given to the stream at a time: they count as sent, and are lost if the peer stops reading. */
const PIECE = 64 * 1024;

/** A socket whose TLS begins at `start`. */
class LateTls implements Socket {
  readonly #stream: Stream;
  #tls: TLSSocket | undefined = undefined;
  /** What is told if the handshake fails; undefined when it can't any more. */
  #handshakeFailed: ((reason: string) => void) | undefined = undefined;
  #endTimer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  start(secureContext: SecureContext, connection: Connection, parts: ListenParts): void {
    const tls = new TLSSocket(this.#stream, {
      isServer: true,
      secureContext,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    // A peer that has sent its last word may still want its reply.
    tls.allowHalfOpen = true;
    this.#tls = tls;
    this.#handshakeFailed = parts.handshakeFailed;
    tls.on("secure", () => {
      this.#handshakeFailed = undefined;
      parts.ready(connection, tls.alpnProtocol === "h2" ? "h2" : "http/1.1");
    });
    tls.on("data", (bytes: Buffer) => connection.received(bytes));
    tls.on("drain", () => connection.drained());
    tls.on("end", () => {
      this.#fail(HUNG_UP);
      connection.receivedEnd();
    });
    tls.on("error", (error) => this.#fail(reasonOf(error)));
    tls.on("close", () => {
      clearTimeout(this.#endTimer);
      this.#fail(HUNG_UP);
      connection.closed();
    });
  }

  get remoteAddress(): string | undefined {
    return this.#stream.remoteAddress;
  }

  write(data: string | Uint8Array): number {
    const tls = this.#tls;
    if (tls === undefined || tls.destroyed) return -1;
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    let taken = 0;
    while (taken < bytes.byteLength && !tls.writableNeedDrain) {
      const piece = bytes.subarray(taken, taken + PIECE);
      tls.write(piece);
      taken += piece.byteLength;
    }
    return taken;
  }

  shutdown(): void {
    this.#tls?.end();
  }

  end(): void {
    if (this.#tls === undefined) {
      this.#stream.destroy();
      return;
    }
    this.#endTimer = setTimeout(() => this.terminate(), TIME_LIMITS.closing);
    this.#tls.destroySoon();
  }

  terminate(): void {
    this.#handshakeFailed = undefined;
    this.#tls?.destroy();
    this.#stream.destroy();
  }

  #fail(reason: string): void {
    this.#handshakeFailed?.(reason);
    this.#handshakeFailed = undefined;
  }
}
