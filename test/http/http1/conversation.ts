/** One connection that speaks HTTP/1, and what came of what a peer sent on it. */

import { expect } from "bun:test";

import { Http1 } from "../../../src/http/http1/http1.ts";
import type { Exchange, HttpRequest, Reply } from "../../../src/http/message.ts";
import { FakeWire, type WireState } from "../fake-wire.ts";

export const DATE = "Fri, 27 Nov 2026 05:40:51 GMT";

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

export const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
export const POST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

export const OK: Reply = { head: { status: 200, fields: [] }, body: "ok" };
export const OK_TEXT = `HTTP/1.1 200 OK\r\nDate: ${DATE}\r\nContent-Length: 2\r\n\r\nok`;
/** `OK` as the last reply of its connection. */
export const LAST_OK_TEXT = OK_TEXT.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");

/** The fields that the handlers of the tests are given. */
export const FIELDS: ReadonlySet<string> = new Set(["host", "x-a", "x-forwarded-for"]);

/** A request as a handler got it, in a form that outlives the call. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: Readonly<Record<string, string>>;
  /** As latin1, or why there is none, in angle brackets. */
  readonly body: string;
}

/** `GET` and `POST` as a handler gets them. */
export const SEEN_GET: SeenRequest = {
  method: "GET",
  target: "/",
  fields: { host: "x" },
  body: "",
};
export const SEEN_POST: SeenRequest = { ...SEEN_GET, method: "POST", body: "hello" };

/** Status 200, with the target as the body. */
export function replyTo({ target }: { readonly target: string }): Reply {
  return { head: OK.head, body: Buffer.from(target, "latin1") };
}

export class Conversation {
  readonly wire = new FakeWire();
  readonly requests: SeenRequest[] = [];
  readonly exchanges: Exchange[] = [];
  readonly bugs: unknown[] = [];
  readonly http1: Http1;

  /** `handler` is called after the request was noted. */
  constructor(handler: (request: HttpRequest, exchange: Exchange) => void = () => {}) {
    this.http1 = this.wire.speak(
      new Http1(this.wire, {
        handler: (request, exchange) => {
          this.requests.push(seen(request));
          this.exchanges.push(exchange);
          handler(request, exchange);
        },
        fields: FIELDS,
        date: () => DATE,
        onBug: (error) => void this.bugs.push(error),
      }),
    );
  }

  send(text: string): void {
    this.wire.send(text);
  }

  /** The exchange of the last request. */
  get exchange(): Exchange {
    const exchange = this.exchanges.at(-1);
    if (exchange === undefined) throw new Error("no request has come");
    return exchange;
  }
}

/** A conversation with a handler that answers at once, with `replyTo`. */
export function answering(): Conversation {
  return new Conversation((request, exchange) => exchange.reply(replyTo(request)));
}

/** Begins a conversation with this text, and gives its parts. */
export function startedWith(conversation: Conversation, text: string) {
  const { wire, http1, requests } = conversation;
  wire.send(text);
  return { wire, http1, requests, exchange: conversation.exchange };
}

/** What is seen of a conversation from outside. */
export interface Outcome {
  readonly requests: readonly SeenRequest[];
  /** Without those of status 100, which depend on how the request is cut. */
  readonly replies: string;
  readonly state: WireState;
}

/** Sends these pieces to a handler that answers at once. */
export function outcomeOf(pieces: readonly string[]): Outcome {
  const conversation = answering();
  for (const piece of pieces) conversation.send(piece);
  const { requests, wire } = conversation;
  return { requests, replies: wire.takeText().replaceAll(CONTINUE, ""), state: wire.state };
}

/** What this text comes to, however it is cut: nowhere, at every place, or at each place once. */
export function outcomeOfAllCuts(text: string): Outcome {
  const whole = outcomeOf([text]);
  expect(outcomeOf([...text])).toEqual(whole);
  for (let at = 1; at < text.length; at++) {
    expect(outcomeOf([text.slice(0, at), text.slice(at)])).toEqual(whole);
  }
  return whole;
}

function seen({ method, target, fields, body }: HttpRequest): SeenRequest {
  return {
    method,
    target,
    fields: Object.fromEntries(fields),
    body: typeof body === "string" ? `<${body}>` : Buffer.from(body).toString("latin1"),
  };
}
