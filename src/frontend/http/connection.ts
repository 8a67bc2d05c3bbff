/** What a handler may know of the connection that a request came on. */

export interface Connection {
  /** Aborts when the peer has hung up before it got its response. */
  readonly gone: AbortSignal;
  /** The peer's address without port, as the socket gives it; undefined if it has none. Costs 2-3 µs. */
  socketAddress(): string | undefined;
  /** Milliseconds that a request's body may take; undefined: the server itself cuts off one that takes too long. */
  readonly bodyTimeout: number | undefined;
}
