/** A server whose certificate can be changed while it serves. The runtime's own server can't: it reads it once. */

import { setTimeout as sleep } from "node:timers/promises";

import type { TlsFiles } from "../../tls/certificate.ts";
import { Http3Server } from "./http3-server.ts";
import { claimPort, type IsMate } from "./port-claim.ts";
import { HttpServer, type HttpServerParts } from "./server.ts";

export interface RotatingServerParts extends Omit<HttpServerParts, "over" | "sharePort"> {
  readonly tls: TlsFiles;
  /** Which other processes may listen on the port; undefined: none. */
  readonly isMate?: IsMate | undefined;
  /** Given: HTTP/3 is served as well, on the UDP port of the same number. */
  readonly http3?: Http3Events | undefined;
}

export interface Http3Events {
  /** After a change of certificate the UDP port could not be had again; only the next change brings HTTP/3 back. */
  readonly lost: (error: unknown) => void;
}

/**
 * Milliseconds in which the old server still takes connections and requests, and asks whoever makes a request to come
 * back on a new connection. When they are over the runtime closes connections on which nothing is asked; a request
 * that is on its way right then is lost, as it is when the idle timeout closes one.
 */
const HAND_OVER = 500;

/** Milliseconds for what is pending on an old server after that: longer than any poll (10 s). */
const LAST_RESPONSES = 15_000;

/** Seconds for which peers may remember that there is HTTP/3: a day, as if it were not said (RFC 7838). */
const REMEMBER_HTTP3 = 86_400;

/**
 * Has one server at a time, and for some seconds after a change of certificate what is left of the last one. While two
 * listen, the kernel gives each a part of the new connections. When the old one stops, those that it has not taken yet
 * are reset, unless the kernel may give them to the other (`net.ipv4.tcp_migrate_req=1`, Linux 5.14). It takes one when
 * the first bytes have come, so about half of those that come within a round trip are reset.
 *
 * HTTP/3 has a server of its own, which changes its certificate in its own time, so that HTTP/1.1 and HTTP/2 lose
 * nothing by it. While it can't be reached no response speaks of it.
 */
export class RotatingServer {
  readonly #parts: RotatingServerParts & { readonly sharePort: true };
  #server: HttpServer;
  readonly #http3: Http3Server | undefined;
  /** Old servers with responses pending. */
  readonly #retiring = new Set<HttpServer>();
  #closing = false;

  /** Listens at once. Throws if the address can't be had or the certificate can't be used. */
  constructor(parts: RotatingServerParts) {
    const { hostname, port, isMate } = parts;
    // The servers of this process share the port with each other, so nobody is kept out by the kernel.
    const server = claimPort(
      { protocol: "tcp", hostname, port },
      isMate ?? (() => false),
      () => new HttpServer({ ...parts, sharePort: true }),
    );
    this.#parts = { ...parts, sharePort: true, port: Number(new URL(server.url).port || 443) };
    this.#server = server;
    if (parts.http3 === undefined) return;
    try {
      this.#http3 = new Http3Server({ ...parts, port: this.#parts.port });
    } catch (error) {
      void server.stop(0);
      throw error;
    }
    server.altSvc = this.#http3AltSvc;
  }

  get #http3AltSvc(): string {
    return `h3=":${this.#parts.port}"; ma=${REMEMBER_HTTP3}`;
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
    if (this.#http3 !== undefined) void this.#replaceHttp3(this.#http3, server, tls);
  }

  async #replaceHttp3(http3: Http3Server, beside: HttpServer, tls: TlsFiles): Promise<void> {
    try {
      await http3.replaceCertificate(tls, LAST_RESPONSES);
      beside.altSvc = this.#http3AltSvc;
    } catch (error) {
      this.#parts.http3?.lost(error);
    }
  }

  async #retire(server: HttpServer): Promise<void> {
    this.#retiring.add(server);
    server.closeConnections();
    server.altSvc = undefined;
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
    const servers = [this.#server, ...this.#retiring].map((server) => server.stop());
    await Promise.all([this.#http3?.stop(), ...servers]);
  }
}
