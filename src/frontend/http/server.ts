/** The one place where the HTTP server of the runtime stands. */

import { setTimeout as sleep } from "node:timers/promises";

import type { TlsFiles } from "../../tls/certificate.ts";
import type { Connection } from "./connection.ts";
import { badRequest } from "./replies.ts";
import type { Handler } from "./routes.ts";

export interface HttpServerParts {
  /** Undefined: all interfaces. */
  readonly hostname: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: plain HTTP. With TLS, HTTP/2 is offered beside HTTP/1.1. */
  readonly tls: TlsFiles | undefined;
  /** `udp`: HTTP/3 and nothing else, which needs `tls`. */
  readonly over?: "tcp" | "udp";
  readonly handler: Handler;
  /** True: other servers may listen on the same port, if they say so too; each gets a part of the connections. */
  readonly sharePort?: boolean;
  /** Seconds; `IDLE_TIMEOUT` unless a test can't wait that long. */
  readonly idleTimeout?: number;
  /** A handler threw: a bug of ours. The peer gets status 500 and nothing more. */
  readonly onBug: (error: unknown) => void;
}

/**
 * Seconds until a connection is closed on which nothing happens, or whose request is not complete. It has to be longer
 * than a poll may wait (10 s) and should be longer than proxies sit idle between polls (20 s by default), so that they
 * can keep their connection. The runtime rounds to multiples of 4 s and counts a request's time from its headers on.
 *
 * With HTTP/3 it closes connections from which nothing comes at all; a peer that sends PINGs keeps its own, and
 * requests are not cut: each has to end by a timer of ours.
 */
export const IDLE_TIMEOUT = 32;

/**
 * Milliseconds that a body may take where there may be HTTP/2 or HTTP/3. With HTTP/1.1 the idle timeout counts from the
 * headers on and cuts the connection sooner. With HTTP/2 every byte of the body and every other request on the
 * connection puts that off, and with HTTP/3 nothing else ends a request whose body stalls.
 */
export const BODY_TIMEOUT = 40_000;

/** Milliseconds that pending responses are given when the server stops, unless there is reason to wait for longer. */
const STOP_TIMEOUT = 2_000;

/**
 * Milliseconds that a server over UDP stays after its last response. What TCP has not delivered yet the kernel sends
 * again, but for QUIC the process has to. Afterwards it is ended by force: the runtime would keep the port for as long
 * as there are connections, and it takes the idle timeout to learn that a peer went without a word.
 */
const LAST_DATAGRAMS = 500;

export class HttpServer {
  readonly #server: Bun.Server<undefined>;
  readonly #overUdp: boolean;
  #closing = false;
  #altSvc: string | undefined;

  /** Listens at once. Throws if the address can't be had or the certificate can't be used. */
  constructor(parts: HttpServerParts) {
    this.#overUdp = parts.over === "udp";
    // A request that waits is a promise and no suspended function: 10,000 of them are what memory is made of.
    const finish = (response: Response): Response => {
      if (this.#closing) response.headers.set("Connection", "close");
      if (this.#altSvc !== undefined) response.headers.set("Alt-Svc", this.#altSvc);
      return response;
    };
    const bodyTimeout = parts.tls === undefined ? undefined : BODY_TIMEOUT;
    const serve = (request: Request, server: Bun.Server<undefined>) => {
      // The runtime joins several Host lines with commas, which no host has (RFC 9112, section 3.2).
      if (request.headers.get("host")?.includes(",") === true) return finish(badRequest());
      const connection = new RequestConnection(request, server, bodyTimeout);
      const response = parts.handler(request, connection);
      return response instanceof Promise ? response.then(finish) : finish(response);
    };
    this.#server = Bun.serve({
      ...(parts.hostname === undefined ? {} : { hostname: parts.hostname }),
      port: parts.port,
      reusePort: parts.sharePort ?? false,
      ...(parts.tls === undefined ? {} : { tls: parts.tls }),
      // Without HTTP/1.1 and HTTP/2 the runtime opens no TCP port.
      ...(this.#overUdp ? { http1: false, http3: true } : { http2: parts.tls !== undefined }),
      idleTimeout: parts.idleTimeout ?? IDLE_TIMEOUT,
      // The handlers have a limit of their own with an answer of its own; the server's would answer 413.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      fetch: serve,
      error(error) {
        parts.onBug(error);
        return new Response(null, { status: 500 });
      },
    });
  }

  /** Where it listens, as a URL; on the loopback interface by its name, which the log does not scrub. */
  get url(): string {
    const url = new URL(this.#server.url);
    if (LOOPBACK.has(url.hostname)) url.hostname = "localhost";
    return url.href;
  }

  /** From now on every response asks its peer to close the connection; HTTP/3 has no words for that. */
  closeConnections(): void {
    this.#closing = true;
  }

  /** From now on every response says, or no longer says, where else the same is served (RFC 7838). */
  set altSvc(value: string | undefined) {
    this.#altSvc = value;
  }

  /** Stops listening, lets pending responses finish for so many milliseconds, and closes what is left. */
  async stop(timeout = STOP_TIMEOUT): Promise<void> {
    const timer = setTimeout(() => void this.#server.stop(true), timeout);
    await this.#server.stop();
    clearTimeout(timer);
    if (!this.#overUdp) return;
    await sleep(LAST_DATAGRAMS);
    await this.#server.stop(true);
  }
}

const LOOPBACK = new Set(["127.0.0.1", "[::1]"]);

/** Looks up what is asked for only when it is asked for. */
class RequestConnection implements Connection {
  readonly #request: Request;
  readonly #server: Bun.Server<undefined>;
  readonly bodyTimeout: number | undefined;

  constructor(request: Request, server: Bun.Server<undefined>, bodyTimeout: number | undefined) {
    this.#request = request;
    this.#server = server;
    this.bodyTimeout = bodyTimeout;
  }

  get gone(): AbortSignal {
    return this.#request.signal;
  }

  socketAddress(): string | undefined {
    return this.#server.requestIP(this.#request)?.address;
  }
}
