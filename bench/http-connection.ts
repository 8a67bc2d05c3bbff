/** Connections of the load generator. Written by hand because `fetch` would cost more than the server. */

import { type HttpResponse, parseResponse } from "./http-response.ts";
import { PeerSocket, type Speaker } from "./peer-socket.ts";

/** Longest response that is waited for, in bytes. Peers read no more than 100 000 bytes of body. */
export const RESPONSE_LIMIT = 120_000;

/** A request that has no response yet. */
export interface Pending {
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (reason: Error) => void;
}

/** A peer's way to the server, which carries one request at a time. */
export interface Connection {
  /** Posts an ASCII body for a peer of that address. Rejects if the way is lost. */
  post(path: string, body: string, forwardedFor: string): Promise<HttpResponse>;
  /** A request in flight rejects. */
  close(): void;
}

/**
 * A connection of HTTP/1.1 that is kept. It opens with the first request and is never reopened: a server that closes a
 * connection under load makes the run fail.
 */
export class HttpConnection implements Connection, Speaker {
  readonly #port: number;
  readonly #socket: PeerSocket;
  #pending: Pending | undefined;
  #received: Buffer = Buffer.alloc(0);

  /** With `tls` any certificate is taken. */
  constructor(port: number, tls = false) {
    this.#port = port;
    this.#socket = new PeerSocket(port, tls ? { alpn: undefined } : undefined, this);
  }

  /** The port of our end; undefined if it is not open, or no longer. */
  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  /** Posts an ASCII body for a peer of that address. Rejects as `send` does. */
  post(path: string, body: string, forwardedFor: string): Promise<HttpResponse> {
    return this.send(`POST ${path}`, formatHeaders(forwardedFor), body);
  }

  /** Gets a path for a peer of that address. Rejects as `send` does. */
  get(path: string, forwardedFor: string): Promise<HttpResponse> {
    return this.send(`GET ${path}`, formatHeaders(forwardedFor), "");
  }

  /**
   * Sends a request of ASCII characters. `target`: method and path; `headers`: lines that end in CR LF, without host
   * and length. Rejects if the connection fails, or brings what is not a response.
   */
  async send(target: string, headers: string, body: string): Promise<HttpResponse> {
    if (this.#socket.failure !== undefined) throw this.#socket.failure;
    if (this.#pending !== undefined) throw new Error("a request is in flight");
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    this.#pending = { resolve, reject };
    const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
    this.#socket.write(
      `${target} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${headers}${length}\r\n${body}`,
    );
    return promise;
  }

  /** Closes; a request in flight rejects. */
  close(): void {
    this.#socket.fail(new Error("connection closed"));
  }

  /** Bytes have come. */
  received(chunk: Buffer): void {
    const pending = this.#pending;
    if (pending === undefined) return this.#socket.fail(new Error("bytes without a request"));
    const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (received.length > RESPONSE_LIMIT) return this.#socket.fail(new Error("response too long"));
    let response: HttpResponse | undefined;
    try {
      response = parseResponse(received);
    } catch (error) {
      return this.#socket.fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (response === undefined) {
      this.#received = received;
      return;
    }
    this.#received = Buffer.alloc(0);
    this.#pending = undefined;
    pending.resolve(response);
  }

  /** The connection is lost. */
  failed(reason: Error): void {
    this.#pending?.reject(reason);
    this.#pending = undefined;
  }
}

/** The headers of a peer's request as a reverse proxy passes them on. */
function formatHeaders(forwardedFor: string): string {
  return `User-Agent: Go-http-client/1.1\r\nX-Forwarded-For: ${forwardedFor}\r\nAccept-Encoding: gzip\r\n`;
}

/** A new connection for each request: with TLS a whole handshake, which is what is dearest for a server. */
export class FreshConnections implements Connection {
  readonly #open: () => Connection;
  #current: Connection | undefined;

  constructor(open: () => Connection) {
    this.#open = open;
  }

  /** Opens a connection, posts, and closes it. */
  async post(path: string, body: string, forwardedFor: string): Promise<HttpResponse> {
    const connection = this.#open();
    this.#current = connection;
    try {
      return await connection.post(path, body, forwardedFor);
    } finally {
      connection.close();
    }
  }

  /** A request in flight rejects. */
  close(): void {
    this.#current?.close();
  }
}
