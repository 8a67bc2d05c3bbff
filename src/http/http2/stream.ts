/** One stream: a request and its exchange. */

import type { BodySource, Exchange, Reply, ReplyHead } from "../message.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import type { Outgoing } from "./sender.ts";

/** The connection that streams belong to. */
export interface StreamOwner {
  readonly remoteAddress: string | undefined;
  /** Sends the reply. Called once. */
  reply(stream: Stream, reply: Reply): void;
  /** A handler or a listener threw. */
  onBug(error: unknown): void;
}

const SERVER_ERROR: ReplyHead = { status: 500, fields: [] };

/** A stream that waits for its reply takes no memory but this object. */
export class Stream implements Exchange {
  readonly id: number;
  /** A request with HEAD: the reply has no body. */
  readonly isHead: boolean;
  /** Bytes of DATA that we may send. SETTINGS can make it negative. */
  window: number;
  /** Whether the peer has sent END_STREAM. */
  peerEnded: boolean;
  /** The request, until its handler is called. */
  request: IncomingRequest | undefined = undefined;
  /** The part of the reply that waits to be sent. */
  outgoing: Outgoing | undefined = undefined;
  aborted = false;
  replied = false;
  readonly #owner: StreamOwner;
  #listener: (() => void) | undefined = undefined;

  constructor(owner: StreamOwner, id: number, window: number, isHead: boolean, peerEnded: boolean) {
    this.#owner = owner;
    this.id = id;
    this.window = window;
    this.isHead = isHead;
    this.peerEnded = peerEnded;
  }

  get remoteAddress(): string | undefined {
    return this.#owner.remoteAddress;
  }

  /** Whether somebody listens for `abort`. */
  get isListenedTo(): boolean {
    return this.#listener !== undefined;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.aborted && !this.replied) this.#listener = listener;
  }

  reply(reply: Reply): void {
    if (this.aborted || this.replied) {
      if (isSource(reply.body)) reply.body.close();
      return;
    }
    this.replied = true;
    this.#listener = undefined;
    this.#owner.reply(this, reply);
  }

  fail(error: unknown): void {
    this.#owner.onBug(error);
    this.reply({ head: SERVER_ERROR, body: undefined });
  }

  /** The peer has gone before it got its reply. */
  abort(): void {
    if (this.aborted || this.replied) return;
    this.aborted = true;
    const listener = this.#listener;
    this.#listener = undefined;
    try {
      listener?.();
    } catch (error) {
      this.#owner.onBug(error);
    }
  }
}

/** Whether a body is made piece by piece. */
export function isSource(body: Reply["body"]): body is BodySource {
  return body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
}
