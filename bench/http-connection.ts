/** Connections of the load generator. Written by hand because `fetch` would cost more than the server. */

import type { Socket } from "bun";

import { type HttpResponse, parseResponse } from "./http-response.ts";

/** Longest response that is waited for, in bytes. Peers read no more than 100 000 bytes of body. */
const RESPONSE_LIMIT = 120_000;

interface Pending {
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
 * A connection that is kept. It opens with the first request and is never reopened: a server that closes a
 * connection under load makes the run fail.
 */
export class HttpConnection implements Connection {
  readonly #port: number;
  readonly #tls: boolean;
  #socket: Socket<HttpConnection> | undefined;
  #pending: Pending | undefined;
  /** What the socket would not take yet. */
  #unsent = "";
  #received: Buffer = Buffer.alloc(0);
  /** Why nothing can be sent any more. */
  #failure: Error | undefined;

  /** With `tls` any certificate is taken. */
  constructor(port: number, tls = false) {
    this.#port = port;
    this.#tls = tls;
  }

  /** The port of our end; undefined if it is not open, or no longer. */
  get localPort(): number | undefined {
    return this.#failure === undefined ? this.#socket?.localPort : undefined;
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
    if (this.#failure !== undefined) throw this.#failure;
    const socket = this.#socket ?? (await this.#open());
    if (this.#pending !== undefined) throw new Error("a request is in flight");
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    this.#pending = { resolve, reject };
    const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
    this.#unsent = `${target} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${headers}${length}\r\n${body}`;
    this.#flush(socket);
    return promise;
  }

  /** Closes; a request in flight rejects. */
  close(): void {
    this.#fail(new Error("connection closed"));
  }

  async #open(): Promise<Socket<HttpConnection>> {
    const socket = await Bun.connect<HttpConnection>({
      hostname: "127.0.0.1",
      port: this.#port,
      ...(this.#tls ? { tls: { rejectUnauthorized: false } } : {}),
      data: this,
      socket: HttpConnection.#handlers,
    });
    if (this.#failure !== undefined) {
      socket.terminate();
      throw this.#failure;
    }
    this.#socket = socket;
    return socket;
  }

  /** The number of bytes written is the number of characters: requests are ASCII. */
  #flush(socket: Socket<HttpConnection>): void {
    if (this.#unsent === "") return;
    const written = socket.write(this.#unsent);
    if (written > 0) this.#unsent = this.#unsent.slice(written);
  }

  #receive(chunk: Buffer): void {
    if (this.#pending === undefined) return this.#fail(new Error("bytes without a request"));
    const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (received.length > RESPONSE_LIMIT) return this.#fail(new Error("response too long"));
    let response: HttpResponse | undefined;
    try {
      response = parseResponse(received);
    } catch (error) {
      return this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (response === undefined) {
      this.#received = received;
      return;
    }
    this.#received = Buffer.alloc(0);
    const { resolve } = this.#pending;
    this.#pending = undefined;
    resolve(response);
  }

  #fail(reason: Error): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#failure ??= reason;
    // Terminating calls the close handler at once, so the request is taken out before.
    this.#socket?.terminate();
    pending?.reject(reason);
  }

  /** One object for all connections: 10,000 of them need no handlers of their own. */
  static readonly #handlers = {
    data(socket: Socket<HttpConnection>, chunk: Buffer) {
      socket.data.#receive(chunk);
    },
    drain(socket: Socket<HttpConnection>) {
      socket.data.#flush(socket);
    },
    close(socket: Socket<HttpConnection>) {
      socket.data.#fail(new Error("the server closed the connection"));
    },
    error(socket: Socket<HttpConnection>, error: Error) {
      socket.data.#fail(error);
    },
    /** The promise of `Bun.connect` rejects too; that one is handled. */
    connectError() {},
  };
}

/** The headers of a peer's request as a reverse proxy passes them on. */
function formatHeaders(forwardedFor: string): string {
  return `User-Agent: Go-http-client/1.1\r\nX-Forwarded-For: ${forwardedFor}\r\nAccept-Encoding: gzip\r\n`;
}

/** A new TLS connection for each request, with a whole handshake: what is dearest for a server. */
export class TlsConnectionEach implements Connection {
  readonly #port: number;
  #current: HttpConnection | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async post(path: string, body: string, forwardedFor: string): Promise<HttpResponse> {
    const connection = new HttpConnection(this.#port, true);
    this.#current = connection;
    try {
      return await connection.post(path, body, forwardedFor);
    } finally {
      connection.close();
    }
  }

  close(): void {
    this.#current?.close();
  }
}
