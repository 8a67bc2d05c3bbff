/** The port that the broker serves on: HTTP/1.1 and HTTP/2 over TCP, and HTTP/3 beside them if it is wanted. */

import { LONGEST_PROXY_WAIT } from "../../broker/policy/matching-policy.ts";
import type { Exchange, Handler, Reply, ReplyHead } from "../../http/message.ts";
import { type ConnectionEvents, HttpServer } from "../../http/server.ts";
import type { TimeLimits } from "../../http/time-limits.ts";
import type { TlsFiles } from "../../tls/certificate.ts";
import { Http3Server } from "./http3-server.ts";
import { claimPort, type IsMate } from "./port-claim.ts";
import { ROUTE_FIELDS } from "./routes.ts";

export interface HttpPortParts {
  /** Undefined: all interfaces. */
  readonly hostname: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
  /** True: each connection begins with a PROXY header. Not together with `http3`, whose peers can't have one. */
  readonly proxyProtocol?: boolean;
  /** Which other processes may listen on the port; undefined: none. */
  readonly isMate?: IsMate | undefined;
  readonly handler: Handler;
  readonly onBug: (error: unknown) => void;
  readonly events: ConnectionEvents;
  /** Connections over TCP at once. */
  readonly maxConnections: number;
  /** What differs from `TIME_LIMITS`, in ms. */
  readonly timeLimits?: Partial<TimeLimits>;
  /** Given: HTTP/3 is served as well, on the UDP port of the same number. It needs `tls`. */
  readonly http3?: Http3Events | undefined;
}

export interface Http3Events {
  /** After a change of certificate the UDP port could not be had again; only the next change brings HTTP/3 back. */
  readonly lost: (error: unknown) => void;
}

/** Milliseconds that replies on their way are given when the port is closed. */
const STOP_TIMEOUT = 2_000;

/** Milliseconds that what is pending over HTTP/3 is given at a change of certificate: longer than any poll. */
const LAST_RESPONSES = LONGEST_PROXY_WAIT + 5_000;

/** Seconds for which peers may remember that there is HTTP/3: a day, as if it were not said (RFC 7838). */
const REMEMBER_HTTP3 = 86_400;

const LOOPBACK = new Set(["127.0.0.1", "::1"]);

export class HttpPort {
  readonly #parts: HttpPortParts;
  readonly #server: HttpServer;
  readonly #http3: Http3Server | undefined;
  /** Where else the same is served, if it is. */
  #altSvc: string | undefined;

  /** Listens at once. Throws if the address can't be had or the certificate can't be used. */
  constructor(parts: HttpPortParts) {
    this.#parts = parts;
    const { hostname, port, tls, isMate, handler } = parts;
    const sharePort = isMate !== undefined;
    const serverParts = {
      ...parts,
      sharePort,
      fields: ROUTE_FIELDS,
      handler: parts.http3 === undefined ? handler : announcing(handler, () => this.#altSvc),
    };
    this.#server = claimPort(
      { protocol: "tcp", hostname, port },
      isMate,
      () => new HttpServer(serverParts),
    );
    if (parts.http3 === undefined || tls === undefined) return;
    try {
      this.#http3 = new Http3Server({ ...parts, tls, port: this.port, fields: ROUTE_FIELDS });
      this.#announceHttp3();
    } catch (error) {
      void this.#server.stop(0);
      throw error;
    }
  }

  get port(): number {
    return this.#server.port;
  }

  /** Where it listens, as a URL; on all interfaces or loopback by a name, which the log does not scrub. */
  get url(): string {
    const { hostname = "localhost", tls } = this.#parts;
    const bracketed = hostname.includes(":") ? `[${hostname}]` : hostname;
    const host = LOOPBACK.has(hostname) ? "localhost" : bracketed;
    return new URL(`${tls === undefined ? "http" : "https"}://${host}:${this.port}/`).href;
  }

  /** From now on new connections get this certificate. Throws if it can't be used: then the old one stays. */
  replaceCertificate(tls: TlsFiles): void {
    this.#server.replaceCertificate(tls);
    if (this.#http3 !== undefined) void this.#replaceHttp3(this.#http3, tls);
  }

  /** While HTTP/3 can't be reached, no reply speaks of it. */
  async #replaceHttp3(http3: Http3Server, tls: TlsFiles): Promise<void> {
    this.#altSvc = undefined;
    try {
      await http3.replaceCertificate(tls, LAST_RESPONSES);
      this.#announceHttp3();
    } catch (error) {
      this.#parts.http3?.lost(error);
    }
  }

  #announceHttp3(): void {
    this.#altSvc = `h3=":${this.port}"; ma=${REMEMBER_HTTP3}`;
  }

  /** Asks every peer to leave, over so many ms; resolves when all have been asked. HTTP/3 has no words for that. */
  retire(spread: number): Promise<void> {
    return this.#server.retire(spread);
  }

  /** Stops listening, lets replies on their way finish for a while, and closes what is left. */
  async stop(): Promise<void> {
    await Promise.all([this.#http3?.stop(), this.#server.stop(STOP_TIMEOUT)]);
  }
}

/** The same handler, whose replies say where else the same is served. */
function announcing(handler: Handler, altSvc: () => string | undefined): Handler {
  /** Heads with the field, by those without. */
  const heads = new WeakMap<ReplyHead, { altSvc: string; head: ReplyHead }>();
  const announce = (reply: Reply): Reply => {
    const value = altSvc();
    if (value === undefined) return reply;
    let known = heads.get(reply.head);
    if (known?.altSvc !== value) {
      const { status, fields } = reply.head;
      known = { altSvc: value, head: { status, fields: [...fields, ["Alt-Svc", value]] } };
      heads.set(reply.head, known);
    }
    return { ...reply, head: known.head };
  };
  return (request, exchange) => handler(request, new AnnouncingExchange(exchange, announce));
}

class AnnouncingExchange implements Exchange {
  readonly #exchange: Exchange;
  readonly #announce: (reply: Reply) => Reply;

  constructor(exchange: Exchange, announce: (reply: Reply) => Reply) {
    this.#exchange = exchange;
    this.#announce = announce;
  }

  get aborted(): boolean {
    return this.#exchange.aborted;
  }

  get remoteAddress(): string | undefined {
    return this.#exchange.remoteAddress;
  }

  addEventListener(type: "abort", listener: () => void): void {
    this.#exchange.addEventListener(type, listener);
  }

  reply(reply: Reply): void {
    this.#exchange.reply(this.#announce(reply));
  }

  fail(error: unknown): void {
    this.#exchange.fail(error);
  }
}
