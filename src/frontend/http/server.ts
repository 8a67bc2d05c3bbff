/** The one place where the HTTP server of the runtime stands. */

import type { Connection } from "./connection.ts";
import type { Handler } from "./routes.ts";

/** Certificate chain and private key, PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface HttpServerParts {
  /** Undefined: all interfaces. */
  readonly hostname: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: plain HTTP. With TLS, HTTP/2 is offered beside HTTP/1.1. */
  readonly tls: TlsFiles | undefined;
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
 */
export const IDLE_TIMEOUT = 32;

/** Milliseconds that pending responses are given when the server stops, unless there is reason to wait for longer. */
const STOP_TIMEOUT = 2_000;

export class HttpServer {
  readonly #server: Bun.Server<undefined>;
  #closing = false;

  /** Listens at once. Throws if the address can't be had or the certificate can't be used. */
  constructor(parts: HttpServerParts) {
    // A request that waits is a promise and no suspended function: 10,000 of them are what memory is made of.
    const finish = (response: Response): Response => {
      if (this.#closing) response.headers.set("Connection", "close");
      return response;
    };
    const serve = (request: Request, server: Bun.Server<undefined>) => {
      const response = parts.handler(request, new RequestConnection(request, server));
      return response instanceof Promise ? response.then(finish) : finish(response);
    };
    this.#server = Bun.serve({
      ...(parts.hostname === undefined ? {} : { hostname: parts.hostname }),
      port: parts.port,
      reusePort: parts.sharePort ?? false,
      ...(parts.tls === undefined ? {} : { tls: parts.tls, http2: true }),
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

  /** From now on every response asks its peer to close the connection. */
  closeConnections(): void {
    this.#closing = true;
  }

  /** Stops listening, lets pending responses finish for so many milliseconds, and closes what is left. */
  async stop(timeout = STOP_TIMEOUT): Promise<void> {
    const timer = setTimeout(() => void this.#server.stop(true), timeout);
    await this.#server.stop();
    clearTimeout(timer);
  }
}

const LOOPBACK = new Set(["127.0.0.1", "[::1]"]);

/** Looks up what is asked for only when it is asked for. */
class RequestConnection implements Connection {
  readonly #request: Request;
  readonly #server: Bun.Server<undefined>;

  constructor(request: Request, server: Bun.Server<undefined>) {
    this.#request = request;
    this.#server = server;
  }

  get gone(): AbortSignal {
    return this.#request.signal;
  }

  socketAddress(): string | undefined {
    return this.#server.requestIP(this.#request)?.address;
  }
}
