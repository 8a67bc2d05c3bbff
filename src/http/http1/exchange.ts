/** One request on its way to its reply, over HTTP/1. */

import type { Exchange, Reply } from "../message.ts";

/** The connection of an exchange. It knows which of its exchanges still waits for a reply. */
export interface ExchangeOwner {
  readonly remoteAddress: string | undefined;
  /** The peer sends no more. */
  readonly peerEnded: boolean;
  reply(exchange: Http1Exchange, reply: Reply): void;
  fail(exchange: Http1Exchange, error: unknown): void;
  /** Somebody waits for a peer that has ended. */
  abandon(exchange: Http1Exchange): void;
}

/** Small, since there is one for each waiting poll. */
export class Http1Exchange implements Exchange {
  readonly #owner: ExchangeOwner;
  #listener: (() => void) | undefined = undefined;
  #aborted = false;

  constructor(owner: ExchangeOwner) {
    this.#owner = owner;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get remoteAddress(): string | undefined {
    return this.#owner.remoteAddress;
  }

  /** Whether somebody waits for the peer. */
  get isWatched(): boolean {
    return this.#listener !== undefined;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listener = listener;
    // Later, since nobody expects to be called back from here.
    if (this.#owner.peerEnded) queueMicrotask(() => this.#owner.abandon(this));
  }

  reply(reply: Reply): void {
    this.#owner.reply(this, reply);
  }

  fail(error: unknown): void {
    this.#owner.fail(this, error);
  }

  /** The peer has gone without its reply. */
  abort(): void {
    this.#aborted = true;
    this.#listener?.();
  }
}
