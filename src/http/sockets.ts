/** The one place where the sockets of the runtime stand. */

import { createSecureContext, type SecureContext } from "node:tls";

import type { Connection, Socket } from "./connection.ts";

/** Certificate chain and private key, PEM. */
export interface TlsCredentials {
  readonly cert: string;
  readonly key: string;
}

export interface ListenParts {
  /** Undefined: all interfaces. */
  readonly hostname: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls: TlsCredentials | undefined;
  /** True: other listeners may have the same port, if they say so too; each gets a part of the connections. */
  readonly sharePort: boolean;
  /** A connection has come; undefined: there is no room for it, and it is closed. */
  readonly accept: (socket: Socket) => Connection | undefined;
  /** A connection is ready to be spoken on, after its handshake if there is TLS. */
  readonly ready: (connection: Connection, protocol: "h2" | "http/1.1") => void;
  /** A handshake has failed, for a reason of the TLS library: one of its words. The connection is closing. */
  readonly handshakeFailed: (reason: string) => void;
}

/** A port that is being listened on. */
export interface Listening {
  readonly port: number;
  /** From now on handshakes get this certificate. Throws if it can't be used: then nothing has changed. */
  replaceCertificate(tls: TlsCredentials): void;
  /** Takes no more connections. Those that there are live on. */
  stop(): void;
}

/** What ALPN offers, in the order of our preference, as it goes over the wire. */
const ALPN = Buffer.from("\x02h2\x08http/1.1", "latin1");

/** Listens at once. Throws if the address can't be had or the certificate can't be used. */
export function listen(parts: ListenParts): Listening {
  const { accept, ready, handshakeFailed } = parts;
  /** The certificate that replaces the one of the listener. */
  let replacement: SecureContext | undefined;
  const options = {
    hostname: parts.hostname ?? "::",
    port: parts.port,
    // The runtime knows this option, its types do not.
    reusePort: parts.sharePort,
    // A peer that has sent its last word may still want its reply.
    allowHalfOpen: true,
    ...(parts.tls === undefined ? {} : { tls: { ...parts.tls, ALPNProtocols: ALPN } }),
    socket: {
      open(socket) {
        const connection = accept(socket);
        socket.data = connection;
        if (connection === undefined) socket.terminate();
        else if (parts.tls === undefined) ready(connection, "http/1.1");
        else if (replacement !== undefined) setCertificate(socket, replacement);
      },
      handshake(socket, ok, error) {
        if (socket.data === undefined) return;
        if (ok) ready(socket.data, socket.alpnProtocol === "h2" ? "h2" : "http/1.1");
        else handshakeFailed(reasonOf(error));
      },
      data(socket, bytes) {
        socket.data?.received(bytes);
      },
      end(socket) {
        socket.data?.receivedEnd();
      },
      drain(socket) {
        socket.data?.drained();
      },
      close(socket) {
        socket.data?.closed();
      },
      // Every error is followed by `close`.
      error() {},
    } satisfies Bun.SocketHandler<Connection | undefined>,
  };
  const listener = Bun.listen<Connection | undefined>(options);
  return {
    port: listener.port,
    replaceCertificate(tls) {
      replacement = createSecureContext(tls);
    },
    stop: () => listener.stop(),
  };
}

/**
 * Has the handshake to come use this certificate. The runtime has this method for its own `node:tls`; without it, only
 * another listener on the port could have another certificate, and connections in between would be lost.
 */
function setCertificate(socket: object, { context }: SecureContext): void {
  if (!("setKeyCert" in socket) || typeof socket.setKeyCert !== "function") {
    throw new Error("this runtime can't change the certificate of a socket");
  }
  socket.setKeyCert(context);
}

/** `error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION` ends in the reason. */
function reasonOf(error: Error | null): string {
  const reason = /[A-Z][A-Z0-9_]+$/.exec(error?.message ?? "")?.[0];
  if (reason !== undefined) return reason.toLowerCase();
  const code = error !== null && "code" in error ? error.code : undefined;
  return code === "ECONNRESET" ? "hung_up" : "other";
}
