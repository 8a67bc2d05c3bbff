/** What the cluster needs of a message bus: at most once, no memory, and word of a subject that nobody listens to. */

/** What became of a request. `lost`: the connection to the bus is gone, or there is none. */
export type BusReply =
  | { readonly kind: "reply"; readonly payload: Buffer }
  | { readonly kind: "nobody" | "timed-out" | "lost" };

/** Takes a message. `reply` is given if its sender asks for one; it may be called once, or not at all. */
export type OnMessage = (
  payload: Buffer,
  reply: ((payload: Uint8Array) => void) | undefined,
) => void;

/** Nothing here throws or rejects. */
export interface Bus {
  readonly connected: boolean;
  /** Calls the listener for each message on a subject, but those that are sent here; now and after every reconnect. */
  subscribe(subject: string, onMessage: OnMessage): void;
  /** Sends a message to all who listen, or to nobody if there is no connection. */
  publish(subject: string, payload: Uint8Array): void;
  /** Sends a message and waits for the first reply, for `timeout` ms at most. */
  request(subject: string, payload: Uint8Array, timeout: number): Promise<BusReply>;
  /** Sends what is not sent yet, and disconnects. */
  close(): Promise<void>;
}

/** Told when the connection to the bus is there, and when it is gone. */
export interface BusListener {
  onConnected(): void;
  onLost(): void;
}
