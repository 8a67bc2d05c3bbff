/** One connection that speaks HTTP/1.1 or HTTP/1.0 (RFC 9112). */

import { BODY_BYTES, HEAD_BYTES } from "../limits.ts";
import type { BodySource, Reply } from "../message.ts";
import type { ProtocolParts } from "../server-parts.ts";
import type { Awaited, Protocol, Wire } from "../wire.ts";
import { type ExchangeOwner, Http1Exchange } from "./exchange.ts";
import { LongReply } from "./long-reply.ts";
import {
  BAD_ASTERISK,
  BAD_EXPECTATION,
  BUG,
  CONTINUE,
  hasBody,
  renderRefusal,
  renderReply,
  SERVER_OPTIONS,
} from "./reply-text.ts";
import type { Refusal } from "./request-head.ts";
import { type ReceivedRequest, RequestReader } from "./request-reader.ts";

/** Bytes kept of what follows a request whose reply is awaited: as many as one more request may have. */
const AHEAD_BYTES = HEAD_BYTES + BODY_BYTES;

const NOTHING = new Uint8Array();

export class Http1 implements Protocol, ExchangeOwner {
  readonly #wire: Wire;
  readonly #parts: ProtocolParts;
  readonly #reader: RequestReader;
  /** `over`: nothing that comes is looked at any more. */
  #state: "reading" | "replying" | "over" = "reading";
  /** What the wire knows to be awaited; undefined: it is to be told, even if that is the same. */
  #awaited: Awaited | undefined = "request";
  /** Bytes that the wire knows to be held. */
  #held = 0;
  /** The exchange that waits for its reply. */
  #exchange: Http1Exchange | undefined = undefined;
  /** The reply that is being sent piece by piece. */
  #longReply: LongReply | undefined = undefined;
  /** Of the request that is being answered: its version, its kind, and whether another may follow. */
  #minorVersion = 1;
  #isHead = false;
  #keepAlive = true;
  /** A request has come. */
  #used = false;
  #retired = false;
  #peerEnded = false;
  /** Requests are being taken: that goes on after a reply. */
  #taking = false;

  constructor(wire: Wire, parts: ProtocolParts) {
    this.#wire = wire;
    this.#parts = parts;
    this.#reader = new RequestReader(parts.fields);
  }

  receive(bytes: Uint8Array): void {
    if (this.#state === "reading") {
      this.#take(bytes);
    } else if (this.#state === "replying" && this.#keepAlive) {
      this.#reader.give(bytes);
      this.#reader.settle();
      if (this.#reader.length > AHEAD_BYTES) {
        this.#wire.struck("held-bytes");
        this.#cut();
      } else {
        this.#tellHeld();
      }
    }
  }

  receivedEnd(): void {
    if (this.#state === "over") return;
    this.#peerEnded = true;
    this.#endInput();
  }

  drained(): void {
    this.#longReply?.drained();
  }

  timedOut(awaited: Exclude<Awaited, "reply">): void {
    if (this.#state !== "reading") return;
    if (awaited === "request") this.#finish();
    else if (!this.#breakOff()) this.#cut();
  }

  ended(): void {
    this.#state = "over";
    this.#reader.clear();
    this.#longReply?.ended();
    if (this.#exchange !== undefined) this.#abort(this.#exchange);
  }

  retire(): void {
    this.#retired = true;
    const idles = this.#state === "reading" && this.#reader.awaited === "request";
    if (idles && this.#used) this.#finish();
  }

  get remoteAddress(): string | undefined {
    return this.#wire.remoteAddress;
  }

  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  reply(exchange: Http1Exchange, reply: Reply): void {
    const { body } = reply;
    const source = typeof body === "object" && !(body instanceof Uint8Array) ? body : undefined;
    if (this.#exchange !== exchange) {
      source?.close();
      return;
    }
    this.#exchange = undefined;
    if (reply.close === true || this.#retired) this.#keepAlive = false;
    const context = {
      minorVersion: this.#minorVersion,
      isHead: this.#isHead,
      keepAlive: this.#keepAlive,
      date: this.#parts.date(),
    };
    this.#wire.write(renderReply(reply, context));
    if (source !== undefined && hasBody(reply, context)) {
      void this.#sendLong(source);
    } else {
      source?.close();
      this.#replied();
    }
  }

  fail(exchange: Http1Exchange, error: unknown): void {
    this.#parts.onBug(error);
    this.reply(exchange, BUG);
  }

  abandon(exchange: Http1Exchange): void {
    if (this.#exchange !== exchange) return;
    this.#finish();
    this.#abort(exchange);
  }

  /** Takes requests until a reply is awaited or one is incomplete. */
  #take(bytes: Uint8Array): void {
    const reader = this.#reader;
    reader.give(bytes);
    this.#taking = true;
    while (this.#state === "reading") {
      const taken = reader.next();
      if (taken === undefined) break;
      if ("status" in taken) this.#refuse(taken);
      else this.#serve(taken);
    }
    this.#taking = false;
    if (this.#state !== "over" && (this.#state === "reading" || this.#keepAlive)) reader.settle();
    else reader.clear();
    this.#tell();
    if (this.#peerEnded) this.#endInput();
  }

  #serve({ head, body }: ReceivedRequest): void {
    const { method, target, fields } = head;
    this.#state = "replying";
    this.#used = true;
    this.#minorVersion = head.minorVersion;
    this.#isHead = method === "HEAD";
    this.#keepAlive = head.keepAlive && typeof body !== "string";
    if (body === "too-long") this.#wire.struck("body-size");
    const exchange = new Http1Exchange(this);
    this.#exchange = exchange;
    if (head.expects === "unknown") {
      this.reply(exchange, BAD_EXPECTATION);
    } else if (target === "*") {
      this.reply(exchange, method === "OPTIONS" ? SERVER_OPTIONS : BAD_ASTERISK);
    } else {
      try {
        this.#parts.handler({ method, target, fields, body }, exchange);
      } catch (error) {
        this.fail(exchange, error);
      }
    }
  }

  async #sendLong(source: BodySource): Promise<void> {
    this.#longReply = new LongReply(this.#wire, source);
    const sent = await this.#longReply.send();
    this.#longReply = undefined;
    if (this.#state === "over") return;
    // The peer must not take a part for the whole.
    if (sent) this.#replied();
    else this.#cut();
  }

  /** The reply is written whole. */
  #replied(): void {
    if (this.#state === "over") return;
    if (!this.#keepAlive || this.#retired) {
      this.#finish();
      return;
    }
    this.#state = "reading";
    this.#awaited = undefined;
    if (!this.#taking) this.#take(NOTHING);
  }

  /** The peer sends no more: what it waits for is still answered, unless somebody waits for it in turn. */
  #endInput(): void {
    if (this.#state === "over") return;
    if (this.#state === "replying") {
      if (this.#exchange?.isWatched === true) this.abandon(this.#exchange);
    } else if (this.#reader.awaited === "request") {
      this.#finish();
    } else if (!this.#breakOff()) {
      this.#refuse({ status: 400 });
    }
  }

  /** Answers the request whose body is incomplete. False: there is none. */
  #breakOff(): boolean {
    const broken = this.#reader.breakOff();
    if (broken === undefined) return false;
    this.#reader.clear();
    this.#serve(broken);
    this.#tell();
    return true;
  }

  #refuse(refusal: Refusal): void {
    if (refusal.bound !== undefined) this.#wire.struck(refusal.bound);
    this.#wire.write(renderRefusal(refusal));
    this.#finish();
  }

  /** Tells the wire what is awaited and held now. */
  #tell(): void {
    if (this.#state === "over") return;
    const awaited = this.#state === "replying" ? "reply" : this.#reader.awaited;
    if (awaited !== this.#awaited) {
      this.#awaited = awaited;
      this.#wire.await(awaited);
      if (awaited === "body" && this.#reader.expectsContinue) this.#wire.write(CONTINUE);
    }
    this.#tellHeld();
  }

  #tellHeld(): void {
    const held = this.#reader.size;
    if (held === this.#held) return;
    this.#held = held;
    if (!this.#wire.hold(held)) this.#cut();
  }

  #finish(): void {
    this.#end();
    this.#wire.finish();
  }

  #cut(): void {
    this.#end();
    this.#wire.cut();
  }

  #end(): void {
    this.#state = "over";
    this.#reader.clear();
    if (this.#held > 0) this.#wire.hold(0);
    this.#held = 0;
  }

  #abort(exchange: Http1Exchange): void {
    this.#exchange = undefined;
    try {
      exchange.abort();
    } catch (error) {
      this.#parts.onBug(error);
    }
  }
}
