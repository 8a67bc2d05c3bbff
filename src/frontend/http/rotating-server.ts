/** A server whose certificate can be changed while it serves. The runtime's own server can't: it reads it once. */

import { setTimeout as sleep } from "node:timers/promises";

import { HttpServer, type HttpServerParts, type TlsFiles } from "./server.ts";

export interface RotatingServerParts extends HttpServerParts {
  readonly tls: TlsFiles;
}

/**
 * Milliseconds in which the old server still takes connections and requests, and asks whoever makes a request to come
 * back on a new connection. When they are over the runtime closes connections on which nothing is asked; a request
 * that is on its way right then is lost, as it is when the idle timeout closes one.
 */
const HAND_OVER = 500;

/** Milliseconds for what is pending on the old server after that: longer than any poll (10 s). */
const LAST_RESPONSES = 15_000;

/**
 * Has one server at a time, and for some seconds after a change of certificate what is left of the last one. While two
 * listen, the kernel gives each a part of the new connections. When the old one stops, those that it has not taken yet
 * are reset, unless the kernel may give them to the other (`net.ipv4.tcp_migrate_req=1`, Linux 5.14). It takes one when
 * the first bytes have come, so about half of those that come within a round trip are reset.
 */
export class RotatingServer {
  readonly #parts: RotatingServerParts;
  #server: HttpServer;
  /** Old servers with responses pending. */
  readonly #retiring = new Set<HttpServer>();
  #closing = false;

  /** Listens at once. Throws if the address can't be had or the certificate can't be used. */
  constructor(parts: RotatingServerParts) {
    if (parts.sharePort !== true) refuseSharing(parts);
    const server = new HttpServer({ ...parts, sharePort: true });
    this.#parts = { ...parts, sharePort: true, port: Number(new URL(server.url).port || 443) };
    this.#server = server;
  }

  /** Where it listens, as a URL. */
  get url(): string {
    return this.#server.url;
  }

  /** From now on new connections get this certificate. Throws if it can't be used: then the old one stays. */
  replaceCertificate(tls: TlsFiles): void {
    const server = new HttpServer({ ...this.#parts, tls });
    if (this.#closing) server.closeConnections();
    void this.#retire(this.#server);
    this.#server = server;
  }

  async #retire(server: HttpServer): Promise<void> {
    this.#retiring.add(server);
    server.closeConnections();
    await sleep(HAND_OVER);
    await server.stop(LAST_RESPONSES);
    this.#retiring.delete(server);
  }

  /** From now on every response asks its peer to close the connection. */
  closeConnections(): void {
    this.#closing = true;
    this.#server.closeConnections();
  }

  /** Stops listening, lets pending responses finish for a while, and closes what is left. */
  async stop(): Promise<void> {
    await Promise.all([this.#server, ...this.#retiring].map((server) => server.stop()));
  }
}

/** A server that shares its port starts even where another one shares it: this one throws as if it did not share. */
function refuseSharing({ hostname, port }: HttpServerParts): void {
  try {
    Bun.listen({ hostname: hostname ?? "::", port, socket: { data() {} } }).stop(true);
  } catch (error) {
    // Any other trouble the server finds for itself.
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (inUse) throw new Error(`port ${port} is in use`, { cause: error });
  }
}
