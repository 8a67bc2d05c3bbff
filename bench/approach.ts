/** How generated peers reach a server. */

import { type Connection, FreshConnections, HttpConnection } from "./http-connection.ts";
import { Http2Connection } from "./http2-connection.ts";

/**
 * Each peer has one connection that it keeps, or with `-fresh` a new one for each request: of HTTP/1.1, plain or over
 * TLS, or of HTTP/2 over TLS.
 */
export const TRANSPORTS = ["plain", "tls", "tls-fresh", "h2", "h2-fresh"] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** How peers reach a server. */
export interface Approach {
  readonly open: () => Connection;
  /** The pace at which the waiting proxies begin. */
  readonly connectionsPerSecond: number;
}

/** So slowly that no server's queue of unaccepted connections overflows. */
const PLAIN_PACE = 1000;
/** So slowly that a core can make the handshakes with a small key. */
const TLS_PACE = 400;
/**
 * A handshake with a large key takes 5 ms of a server, and one that is busy does the latest first: all proxies have to
 * be in before clients keep it busy.
 */
const FRESH_PACE = 100;

/** The way to a port of 127.0.0.1. */
export function approachTo(port: number, transport: Transport = "plain"): Approach {
  const tls = () => new HttpConnection(port, true);
  const http2 = () => new Http2Connection(port);
  switch (transport) {
    case "plain":
      return { open: () => new HttpConnection(port), connectionsPerSecond: PLAIN_PACE };
    case "tls":
      return { open: tls, connectionsPerSecond: TLS_PACE };
    case "h2":
      return { open: http2, connectionsPerSecond: TLS_PACE };
    case "tls-fresh":
      return { open: () => new FreshConnections(tls), connectionsPerSecond: FRESH_PACE };
    case "h2-fresh":
      return { open: () => new FreshConnections(http2), connectionsPerSecond: FRESH_PACE };
  }
}
