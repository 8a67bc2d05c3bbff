/** A server for HTTP/1.1 and HTTP/2: all its connections, and what they may cost together. */

import { setTimeout as sleep } from "node:timers/promises";

import { Busyness, readProcessorTimes } from "./busyness.ts";
import { Connection, type Site } from "./connection.ts";
import { Http1 } from "./http1/http1.ts";
import { Http2 } from "./http2/http2.ts";
import { type Bound, KEPT_BYTES } from "./limits.ts";
import type { Handler } from "./message.ts";
import { listenForLateTls } from "./proxy-protocol/late-tls.ts";
import type { ProtocolParts } from "./server-parts.ts";
import { listen, type Listening, type ListenParts, type TlsCredentials } from "./sockets.ts";
import { TICK, TIME_LIMITS, TimeKeeper, type TimeLimits } from "./time-limits.ts";

/** Told of what happens to connections: counts it and returns. */
export interface ConnectionEvents {
  opened(): void;
  closed(): void;
  /** Replies have gone out in this turn of the event loop. */
  worked(): void;
  /** A bound has struck. */
  struck(bound: Bound): void;
  /** A TLS handshake has failed; `reason` is a word of the TLS library. */
  handshakeFailed(reason: string): void;
}

/** For a server whose connections nobody counts. */
export const NO_CONNECTION_EVENTS: ConnectionEvents = {
  opened() {},
  closed() {},
  worked() {},
  struck() {},
  handshakeFailed() {},
};

export interface HttpServerParts {
  /** Undefined: all interfaces. */
  readonly hostname: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: plain HTTP/1.1. With TLS, peers choose between HTTP/1.1 and HTTP/2. */
  readonly tls: TlsCredentials | undefined;
  /** True: each connection begins with a PROXY header, which says where it comes from; others are cut. */
  readonly proxyProtocol?: boolean;
  /** True: other servers may listen on the same port, if they say so too; each gets a part of the connections. */
  readonly sharePort: boolean;
  readonly handler: Handler;
  /** Names in lower case of the header fields that the handler looks at. */
  readonly fields: ReadonlySet<string>;
  /** A bug of ours: a handler threw, and its peer gets status 500; or the server did, and the connection is closed. */
  readonly onBug: (error: unknown) => void;
  readonly events: ConnectionEvents;
  /**
   * Connections at once. One more takes the place of the one that has idled longest, or else has kept us waiting
   * longest; it is closed if all wait for their replies.
   */
  readonly maxConnections: number;
  /** What differs from `TIME_LIMITS`, in ms. */
  readonly timeLimits?: Partial<TimeLimits>;
}

export class HttpServer {
  readonly #parts: HttpServerParts;
  readonly #connections = new Set<Connection>();
  readonly #times: TimeKeeper<Connection>;
  readonly #site: Site;
  readonly #protocolParts: ProtocolParts;
  readonly #listening: Listening;
  #kept = 0;
  #toFlush: Connection[] = [];
  #ticks: ReturnType<typeof setInterval> | undefined;
  #retired = false;
  #onLastClosed: (() => void) | undefined;

  /** Listens at once. Throws if the address can't be had or the certificate can't be used. */
  constructor(parts: HttpServerParts) {
    this.#parts = parts;
    this.#times = new TimeKeeper({ ...TIME_LIMITS, ...parts.timeLimits }, (connection, timed) => {
      connection.timedOut(timed);
    });
    this.#site = {
      times: this.#times,
      keep: (difference, kept) => {
        this.#kept += difference;
        return this.#kept <= KEPT_BYTES || kept * this.#connections.size <= KEPT_BYTES;
      },
      struck: (bound) => parts.events.struck(bound),
      flushLater: (connection) => {
        if (this.#toFlush.push(connection) === 1) queueMicrotask(() => this.#flush());
      },
      closed: (connection) => this.#closed(connection),
    };
    this.#protocolParts = { ...parts, date: httpDate };
    this.#listening = this.#listen(parts.port, parts.tls);
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#listening.port;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * From now on new connections get this certificate; those that there are live on. Throws if it can't be used: then
   * nothing has changed.
   */
  replaceCertificate(tls: TlsCredentials): void {
    this.#listening.replaceCertificate(tls);
  }

  /**
   * Asks every peer to leave, over so many ms: those that idle are closed, replies from now on close their connection.
   * New connections are still taken. Resolves when all have been asked, or none is left.
   */
  async retire(spread: number): Promise<void> {
    this.#retired = true;
    const connections = [...this.#connections];
    const { length } = connections;
    const started = performance.now();
    for (;;) {
      const due = spread === 0 ? 1 : Math.min(1, (performance.now() - started) / spread);
      const left = Math.floor(length * (1 - due));
      while (connections.length > left) connections.pop()?.retire();
      if (connections.length === 0 || this.#connections.size === 0) return;
      await sleep(RETIRE_STEP);
    }
  }

  /** Stops listening, gives replies on their way so many ms, and closes what is left. */
  async stop(timeout: number): Promise<void> {
    this.#listening.stop();
    void this.retire(0);
    if (this.#connections.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLastClosed = resolve;
      const timer = setTimeout(resolve, timeout);
      await promise;
      clearTimeout(timer);
    }
    for (const connection of this.#connections) connection.cut();
  }

  #listen(port: number, tls: TlsCredentials | undefined): Listening {
    const { hostname, sharePort, proxyProtocol = false, events, onBug } = this.#parts;
    const listenParts: ListenParts = {
      hostname,
      port,
      sharePort,
      accept: (socket) => {
        if (!this.#makeRoom()) return undefined;
        const connection = new Connection(this.#site, socket);
        this.#connections.add(connection);
        connection.opens(proxyProtocol ? "proxy-header" : "handshake");
        this.#ticks ??= this.#startTicking();
        events.opened();
        return connection;
      },
      ready: (connection, protocol) => {
        const Spoken = protocol === "h2" ? Http2 : Http1;
        connection.speak((wire) => new Spoken(wire, this.#protocolParts));
        if (this.#retired) connection.retire();
      },
      handshakeFailed: (reason) => events.handshakeFailed(reason),
      onBug,
    };
    if (!proxyProtocol) return listen(listenParts, tls ?? "plain");
    return tls === undefined
      ? listen(listenParts, "proxy-header")
      : listenForLateTls(listenParts, tls);
  }

  /** Whether there is a place for one more connection, be it by ending another. */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#parts.maxConnections) return true;
    this.#parts.events.struck("connections");
    const { mostDispensable } = this.#times;
    mostDispensable?.makeRoom();
    return mostDispensable !== undefined;
  }

  #closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#parts.events.closed();
    if (this.#connections.size > 0) return;
    clearInterval(this.#ticks);
    this.#ticks = undefined;
    this.#onLastClosed?.();
  }

  /** There is a clock only while there is somebody to be timed. */
  #startTicking(): ReturnType<typeof setInterval> {
    const busyness = new Busyness(performance.now(), readProcessorTimes());
    return setInterval(() => {
      this.#times.tick(busyness.look(performance.now(), readProcessorTimes()));
    }, TICK);
  }

  #flush(): void {
    const toFlush = this.#toFlush;
    this.#toFlush = [];
    for (const connection of toFlush) connection.flush();
    this.#parts.events.worked();
  }
}

/** Milliseconds between the steps of a retirement that is spread. */
const RETIRE_STEP = 100;

let dateSecond = 0;
let dateText = "";

/** The time now, as RFC 9110 writes it; made once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
