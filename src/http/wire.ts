/** What a protocol and the connection under it know of each other. */

import type { Bound } from "./limits.ts";

/**
 * What a peer keeps us waiting for. Each has a time limit of its own; `reply` has none, since then the peer waits.
 * `unread`: that it takes a reply. Protocols await this only if they can't write yet; what is written, the wire times.
 */
export type Awaited = "request" | "head" | "body" | "unread" | "reply";

/** A connection, as a protocol sees it. Every method may be called at any time; after the end they do nothing. */
export interface Wire {
  /** The peer's address without port, of its PROXY header if it has one; undefined if it has none or is closed. */
  readonly remoteAddress: string | undefined;
  /**
   * Says what is awaited from now on, and starts the time for it anew, even if it was awaited before. At first that is
   * `request`: the connection idles.
   */
  await(awaited: Awaited): void;
  /**
   * Says how many bytes of unfinished requests and of replies not yet written the protocol keeps now. False: all
   * connections together keep too much, and this one more than its share. The protocol then gives up what it keeps and
   * ends the connection.
   */
  hold(bytes: number): boolean;
  /** Sends bytes, or text of ASCII. What the peer doesn't take at once is kept; beyond the limit the connection is cut. */
  write(bytes: Uint8Array | string): void;
  /** Bytes written that the peer has not taken. Who has more to send waits for `Protocol.drained`. */
  readonly unsent: number;
  /** Closes after everything written has been taken. Nothing that arrives from now on is given to the protocol. */
  finish(): void;
  /** Closes at once. */
  cut(): void;
  /** Counts that a bound has struck. */
  struck(bound: Bound): void;
}

/**
 * One side of a protocol on one connection: a machine that is fed and that writes. It has no timer and no socket, and
 * never throws for anything a peer sends.
 */
export interface Protocol {
  /** Bytes from the peer, cut anywhere. They are the protocol's to keep: views of them stay valid. */
  receive(bytes: Uint8Array): void;
  /** The peer will send no more; it may still read. */
  receivedEnd(): void;
  /** The peer has taken all that was written. */
  drained(): void;
  /** The peer has kept us waiting too long for what was awaited. Not called for `reply`. */
  timedOut(awaited: Exclude<Awaited, "reply">): void;
  /** The connection has ended, whoever ended it: exchanges without a reply are aborted. Called once. */
  ended(): void;
  /** Answers what is there, and takes no new requests if the peer can be told so: the server stops. */
  retire(): void;
}
