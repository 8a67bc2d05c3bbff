/** The one place where the sockets of the runtime stand, but for `proxy-protocol/late-tls.ts`. */

import { constants } from "node:crypto";
import { createServer } from "node:tls";

import { Connection } from "./connection.ts";
import { AwaitedHeader } from "./proxy-protocol/awaited-header.ts";
import type { Receiver, Socket } from "./transport.ts";

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
  /** True: other listeners may have the same port, if they say so too; each gets a part of the connections. */
  readonly sharePort: boolean;
  /** A connection has come; undefined: there is no room for it, and it is closed. */
  readonly accept: (socket: Socket) => Connection | undefined;
  /** A connection is ready to be spoken on, after its PROXY header and its handshake if there are any. */
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

/**
 * What TLS has besides a certificate. With TLS 1.2 the server chooses the cipher, and every one is forward secret, as in
 * Go since 1.22: a key that is stolen opens nothing that was recorded before. TLS 1.3 has no others.
 */
const TLS_POLICY = {
  ciphers: [
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "CHACHA20-POLY1305",
    "AES128-SHA",
    "AES256-SHA",
  ]
    .flatMap((cipher) => [`ECDHE-ECDSA-${cipher}`, `ECDHE-RSA-${cipher}`])
    .join(":"),
  secureOptions: constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
};

/** The runtime's options for a certificate, the same wherever TLS begins. */
export function tlsOptions(tls: TlsCredentials): TlsCredentials & typeof TLS_POLICY {
  return { ...tls, ...TLS_POLICY };
}

/** What connections begin with. TLS after a PROXY header is for `proxy-protocol/late-tls.ts`. */
export type Beginning = TlsCredentials | "plain" | "proxy-header";

/** Listens at once. Throws if the address can't be had or the certificate can't be used. */
export function listen(parts: ListenParts, beginning: Beginning): Listening {
  const { accept, ready, handshakeFailed, onBug } = parts;
  const tls = typeof beginning === "string" ? undefined : beginning;
  const options = {
    hostname: parts.hostname ?? "::",
    port: parts.port,
    // The runtime knows this option, its types do not.
    reusePort: parts.sharePort,
    // A peer that has sent its last word may still want its reply.
    allowHalfOpen: true,
    ...(tls === undefined ? {} : { tls: { ...tlsOptions(tls), ALPNProtocols: ALPN } }),
    socket: {
      open(socket) {
        const connection = accept(socket);
        socket.data = connection;
        if (connection === undefined) socket.terminate();
        else if (beginning === "plain") ready(connection, "http/1.1");
        else if (beginning === "proxy-header") awaitHeader(socket, connection, ready);
      },
      handshake(socket, ok, error) {
        if (!(socket.data instanceof Connection)) return;
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
    } satisfies Bun.SocketHandler<Receiver | undefined>,
  };
  const listener = Bun.listen<Receiver | undefined>(options);
  return {
    port: listener.port,
    replaceCertificate: (credentials) => setCertificate(listener, credentials),
    stop: () => listener.stop(),
  };
}

function awaitHeader(
  socket: { data: Receiver | undefined },
  connection: Connection,
  ready: ListenParts["ready"],
): void {
  socket.data = new AwaitedHeader(connection, (rest) => {
    socket.data = connection;
    ready(connection, "http/1.1");
    if (rest.length > 0) connection.received(rest);
  });
}

/**
 * Has the handshakes to come use this certificate. The runtime can do this only for servers of its `node:tls`, so one of
 * these gets the listener as its handle. Without it, only another listener on the port could have another certificate,
 * and connections in between would be lost. `setKeyCert` of a socket is no way: the handshake then ignores ALPN.
 */
function setCertificate(listener: object, tls: TlsCredentials): void {
  Object.assign(createServer(), { _handle: listener }).setSecureContext(tlsOptions(tls));
}

/** The reason of a handshake that its peer did not finish. */
export const HUNG_UP = "hung_up";

/** `error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION` ends in the reason. */
export function reasonOf(error: Error | null): string {
  if (error !== null && "code" in error && error.code === "ECONNRESET") return HUNG_UP;
  const reason = /[A-Z][A-Z0-9_]+$/.exec(error?.message ?? "")?.[0];
  return reason?.toLowerCase() ?? "other";
}
