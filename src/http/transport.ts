/** What a connection and the socket under it know of each other. */

/** A socket of the runtime, as far as it is used. */
export interface Socket {
  readonly remoteAddress: string | undefined;
  /** Takes as many bytes as it can now; -1 if it is closed. Text goes out as UTF-8. */
  write(data: string | Uint8Array): number;
  /** Sends a FIN, and goes on receiving. */
  shutdown(): void;
  /** Closes, after what was written. */
  end(): void;
  /** Closes at once. */
  terminate(): void;
}

/** Who hears from a socket. */
export interface Receiver {
  received(bytes: Uint8Array): void;
  /** The peer will send no more; it may still read. */
  receivedEnd(): void;
  /** The socket takes bytes again. */
  drained(): void;
  /** The socket is closed. */
  closed(): void;
}
