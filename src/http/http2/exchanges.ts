/** Requests and replies of a connection: from the head of a request to the end of its reply. */

import type { Reply } from "../message.ts";
import type { ProtocolParts } from "../server-parts.ts";
import type { Wire } from "../wire.ts";
import type { Allowances } from "./allowances.ts";
import type { Awaiting } from "./awaiting.ts";
import { ERROR, type ErrorCode, resetFrame } from "./frame.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import { StreamList } from "./stream-list.ts";
import type { Stream, StreamOwner } from "./stream.ts";

/** The connection, as exchanges see it. */
export interface ExchangesOwner {
  /** A reply was given or sent. This can happen at any time. */
  changed(): void;
}

/** What exchanges are made of. */
export interface ExchangesParts {
  readonly wire: Wire;
  readonly protocol: ProtocolParts;
  readonly allowances: Allowances;
  readonly awaiting: Awaiting;
  readonly owner: ExchangesOwner;
}

/** Calls handlers, and ends streams when their replies are sent. */
export class Exchanges implements StreamOwner, SenderOwner {
  readonly list = new StreamList();
  readonly sender: Sender;
  /** Bytes of requests that are incomplete. */
  held = 0;
  readonly #parts: ExchangesParts;
  /** Streams whose handler has not replied. */
  #unanswered = 0;

  constructor(parts: ExchangesParts) {
    this.#parts = parts;
    this.sender = new Sender(this, parts);
  }

  /** Whether a handler has not replied. */
  get isReplying(): boolean {
    return this.#unanswered > 0;
  }

  /** A request has arrived, without its body. */
  begin(stream: Stream, request: IncomingRequest): void {
    stream.request = request;
    this.held += request.held;
    request.round = this.#parts.awaiting.begins("body");
  }

  /** Adds to the body of a request. */
  append(request: IncomingRequest, bytes: Uint8Array, start: number, end: number, last: boolean) {
    const before = request.held;
    const state = request.append(bytes, start, end, last);
    this.held += request.held - before;
    return state;
  }

  /** Calls the handler for a body that is longer than allowed. */
  handTooLong(stream: Stream): void {
    this.#parts.wire.struck("body-size");
    this.hand(stream, "too-long");
  }

  /** Calls the handler, with the whole body or with what is wrong with it. */
  hand(stream: Stream, flaw?: "too-long" | "broken"): void {
    const request = this.#takeRequest(stream);
    if (request === undefined) return;
    if (flaw !== undefined) request.body = flaw;
    this.#unanswered++;
    try {
      this.#parts.protocol.handler(request, stream);
    } catch (error) {
      stream.fail(error);
    }
  }

  #takeRequest(stream: Stream): IncomingRequest | undefined {
    const { request } = stream;
    if (request === undefined) return undefined;
    stream.request = undefined;
    this.held -= request.held;
    this.#parts.awaiting.ends("body", request.round);
    return request;
  }

  /** Replies without calling the handler. */
  refuse(stream: Stream, reply: Reply): void {
    this.#unanswered++;
    stream.reply(reply);
  }

  /** Ends a stream whose reply is not wanted. Its part of what may wait goes to others. */
  abort(stream: Stream): void {
    this.#remove(stream);
    stream.abort();
    this.sender.resume();
  }

  #remove(stream: Stream): void {
    if (stream.request !== undefined) this.#takeRequest(stream);
    else if (!stream.replied && !stream.aborted) this.#unanswered--;
    this.list.remove(stream);
    this.sender.drop(stream);
  }

  /** Sends RST_STREAM. Later frames of the stream are ignored. */
  writeReset(id: number, code: ErrorCode): void {
    this.#parts.wire.write(resetFrame(id, code));
    this.list.endEarly(id);
  }

  /** The peer will send no more: incomplete bodies are broken, and exchanges that are listened to are aborted. */
  peerEnded(): void {
    this.sender.windowsAreFinal();
    for (const stream of [...this.list.open]) {
      if (stream.request !== undefined) this.hand(stream, "broken");
      if (stream.isListenedTo) this.abort(stream);
    }
  }

  /** The time for delays is up: late bodies are broken, and replies that were not taken are given up. */
  delaysTimedOut(): void {
    const { awaiting } = this.#parts;
    const late = this.list.open.filter(
      ({ request }) => request !== undefined && awaiting.isTimed(request.round),
    );
    const refused = this.list.open.filter(
      (stream) => this.sender.isRefused(stream) && awaiting.isTimed(stream.outgoing.round),
    );
    awaiting.timeIsUp();
    for (const stream of late) if (stream.request !== undefined) this.hand(stream, "broken");
    for (const stream of refused) {
      this.writeReset(stream.id, ERROR.cancel);
      this.#remove(stream);
    }
    this.sender.resume();
  }

  /** The connection has ended. */
  abortAll(): void {
    for (const stream of [...this.list.open]) {
      this.#remove(stream);
      stream.abort();
    }
  }

  // ---- called by streams and the sender ----

  get remoteAddress(): string | undefined {
    return this.#parts.wire.remoteAddress;
  }

  reply(stream: Stream, reply: Reply): void {
    this.#unanswered--;
    this.sender.send(stream, reply);
    this.#parts.owner.changed();
  }

  onBug(error: unknown): void {
    this.#parts.protocol.onBug(error);
  }

  sent(stream: Stream): void {
    this.#parts.allowances.answered();
    if (!stream.peerEnded) this.writeReset(stream.id, ERROR.none);
    this.#remove(stream);
  }

  failed(stream: Stream): void {
    this.writeReset(stream.id, ERROR.internal);
    this.#remove(stream);
  }

  stuck(stream: Stream): void {
    this.#remove(stream);
  }

  changed(): void {
    this.#parts.owner.changed();
  }
}
