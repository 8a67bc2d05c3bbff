/** Requests and replies, the same whatever protocol carries them. */

/**
 * A request, whole. It is valid while its handler is being called: a handler that answers later copies what it needs.
 */
export interface HttpRequest {
  /** As sent, in the peer's letter case. */
  readonly method: string;
  /** As sent, from the path on: `/path?query`. `*` of OPTIONS, and the authority of CONNECT, are as they are. */
  readonly target: string;
  /**
   * Those header fields that the server was told to keep, by their names in lower case. Values are without white space
   * at their ends, one character for each byte; several lines of one name are joined with `, `.
   */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: RequestBody;
}

/** The body, or why there is none: it is longer than the limit, or it ended, stalled or broke before it was complete. */
export type RequestBody = Uint8Array | "too-long" | "broken";

/**
 * One request on its way to its reply. It has the shape of an AbortSignal, so that what takes one takes this: it aborts
 * when the peer has gone before it got its reply.
 */
export interface Exchange {
  readonly aborted: boolean;
  /**
   * Calls the listener once, when the peer goes; never if it has gone already. There is one listener at most. Who listens
   * waits for the peer: a peer on HTTP/1 that stops sending has then gone, and otherwise still gets its reply.
   */
  addEventListener(type: "abort", listener: () => void): void;
  /** The peer's address without port; undefined if it has none: a unix socket, or the connection is closed. */
  readonly remoteAddress: string | undefined;
  /** Sends the reply, once. What goes to a peer that has gone is dropped. */
  reply(reply: Reply): void;
  /** There will be no reply, for a bug of ours: it is told, and the peer gets status 500 and nothing more. */
  fail(error: unknown): void;
}

/** Has to see to it that there is a reply, now or later. What it throws is taken as if it had called `fail`. */
export type Handler = (request: HttpRequest, exchange: Exchange) => void;

/** Status and header fields of replies, but for `Date`, `Content-Length` and what belongs to the connection. */
export interface ReplyHead {
  readonly status: number;
  /** Names as HTTP/1.1 shows them. ASCII; no control characters. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface Reply {
  /** Made once for each shape of reply: each protocol renders a head that it sees for the first time, and keeps that. */
  readonly head: ReplyHead;
  /**
   * Text goes out as UTF-8. Undefined: nothing is sent; the length 0 is told, but not to HEAD, as Go has it. The reply
   * to HEAD tells the length of the body and leaves it out.
   */
  readonly body: string | Uint8Array | BodySource | undefined;
  /** The connection does not outlive this reply, since what follows on it is not wanted. HTTP/2 ends only the stream. */
  readonly close?: boolean;
}

/** A long body, made piece by piece when its peer has taken what was there. */
export interface BodySource {
  /** Bytes of the whole. */
  readonly length: number;
  /** The next piece, never empty; as many bytes as `length` in all. Rejects if there is none: the reply is broken off. */
  read(): Promise<Uint8Array>;
  /** Called once, after the last piece or when no more is wanted; not while a piece is being read. */
  close(): void;
}
