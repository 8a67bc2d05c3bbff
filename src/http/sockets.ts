/** The one place where the sockets of the runtime stand. */

import { createServer } from "node:tls";

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
  /** Something threw that was told of a socket: a bug of ours. The connection is closed. */
  readonly onBug: (error: unknown) => void;
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
  const { accept, ready, handshakeFailed, onBug } = parts;
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
      error(socket, error) {
        // An error of the system or of TLS, which `close` follows.
        if ("errno" in error) return;
        onBug(error);
        socket.terminate();
      },
    } satisfies Bun.SocketHandler<Connection | undefined>,
  };
  const listener = Bun.listen<Connection | undefined>(options);
  return {
    port: listener.port,
    replaceCertificate: (tls) => setCertificate(listener, tls),
    stop: () => listener.stop(),
  };
}

/**
 * Has the handshakes to come use this certificate. The runtime can do this only for servers of its `node:tls`, so one of
 * these gets the listener as its handle. Without it, only another listener on the port could have another certificate,
 * and connections in between would be lost. `setKeyCert` of a socket is no way: the handshake then ignores ALPN.
 */
function setCertificate(listener: object, tls: TlsCredentials): void {
  Object.assign(createServer(), { _handle: listener }).setSecureContext(tls);
}

/** `error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION` ends in the reason. */
function reasonOf(error: Error | null): string {
  const reason = /[A-Z][A-Z0-9_]+$/.exec(error?.message ?? "")?.[0];
  if (reason !== undefined) return reason.toLowerCase();
  const code = error !== null && "code" in error ? error.code : undefined;
  return code === "ECONNRESET" ? "hung_up" : "other";
}
