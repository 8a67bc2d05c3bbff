import { describe, expect, test } from "bun:test";

import type { BodySource, Reply } from "../../../src/http/message.ts";
import {
  answerOfVector,
  asOfGo126,
  type HttpAnswer,
  requestOfVector,
} from "../../conformance/http-answer.ts";
import vectors from "../../vectors/http.json";
import { Conversation, DATE } from "./conversation.ts";

const REQUESTS = {
  GET: "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  HEAD: "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
};

/** What a peer reads that sends this to a handler which gives this reply at once. */
function repliesTo(request: string, reply: Reply): string {
  const { wire } = new Conversation((_, exchange) => exchange.reply(reply));
  wire.send(request);
  return wire.takeText();
}

describe("a reply", () => {
  const head = {
    status: 200,
    fields: [
      ["X-B", "1"],
      ["X-A", "2"],
    ],
  } as const;
  const start = `HTTP/1.1 200 OK\r\nX-B: 1\r\nX-A: 2\r\nDate: ${DATE}\r\n`;

  test.each([
    ["text, as UTF-8", "GET", "h\xe9llo", "Content-Length: 6\r\n\r\nh\xc3\xa9llo"],
    ["bytes", "GET", new Uint8Array([0, 0xff]), "Content-Length: 2\r\n\r\n\0\xff"],
    ["empty text", "GET", "", "Content-Length: 0\r\n\r\n"],
    ["nothing", "GET", undefined, "Content-Length: 0\r\n\r\n"],
    ["text to HEAD", "HEAD", "hello", "Content-Length: 5\r\n\r\n"],
    ["bytes to HEAD", "HEAD", new Uint8Array([0, 0xff]), "Content-Length: 2\r\n\r\n"],
    ["nothing to HEAD", "HEAD", undefined, "\r\n"],
  ] as const)("%s", (_name, method, body, end) => {
    expect(repliesTo(REQUESTS[method], { head, body })).toBe(start + end);
    // The second time the head is known.
    expect(repliesTo(REQUESTS[method], { head, body })).toBe(start + end);
  });

  test("head and body are written together", () => {
    for (const body of ["hello", new Uint8Array([1])]) {
      const { wire } = new Conversation((_, exchange) => exchange.reply({ head, body }));
      wire.send(REQUESTS.GET);
      expect(wire.writes).toHaveLength(1);
    }
  });

  test("closes when it says so", () => {
    const { wire } = new Conversation((_, exchange) =>
      exchange.reply({ head, body: undefined, close: true }),
    );
    wire.send(REQUESTS.GET + REQUESTS.GET);
    expect(wire.takeText()).toBe(`${start}Content-Length: 0\r\nConnection: close\r\n\r\n`);
    expect(wire.state).toBe("finished");
  });

  test.each([204, 304])("of status %d has no body and no length", (status) => {
    const text = repliesTo(REQUESTS.GET, { head: { status, fields: [] }, body: "hello" });
    expect(text).toEndWith(`Date: ${DATE}\r\n\r\n`);
  });

  test("of a status without words", () => {
    const text = repliesTo(REQUESTS.GET, { head: { status: 299, fields: [] }, body: undefined });
    expect(text).toStartWith("HTTP/1.1 299 status code 299\r\n");
  });
});

/** What can be known here of the vectors: all but what the handlers say. */
describe("as the reference writes it", () => {
  const answered = vectors.cases.filter(({ response }) => response === undefined);

  test.each(answered.map((vector) => [vector.name, vector] as const))("%s", (name, vector) => {
    const expected = answerOfVector(name);
    const request = requestOfVector(vector);
    const isHead = request.startsWith("HEAD ");
    const { wire } = new Conversation((_, exchange) => exchange.reply(replyOf(expected, isHead)));
    wire.send(request);
    expect(asOfGo126(answerIn(wire.takeText(), wire.state === "open"))).toEqual(expected);
  });
});

/** The reply that a handler gives for this answer. */
function replyOf({ statusLine, headers, body }: HttpAnswer, isHead: boolean): Reply {
  const length = headers.find((line) => line.startsWith("content-length: "))?.slice(16);
  const fields = headers
    .filter((line) => !/^(content-length|connection): /.test(line))
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const);
  const isNothing = length === "0" || (isHead && length === undefined);
  return {
    head: { status: Number(statusLine.split(" ")[1]), fields },
    // The vectors have no body for HEAD, and only the beginning of a long one.
    body: isNothing ? undefined : body.padEnd(Number(length), "."),
  };
}

/** The answer in what was written; a long body cut as in the vectors. */
function answerIn(text: string, open: boolean): HttpAnswer {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = lines
    .map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()))
    .filter((line) => !line.startsWith("date:"))
    .toSorted();
  const cut = body.replace(/\n\.{3,}$/, "\n...");
  return { statusLine, headers, body: cut, connection: open ? "keep-alive" : "close" };
}

/** A body of pieces that a test gives when it likes. */
class PiecesByHand implements BodySource {
  readonly length: number;
  closed = 0;
  reads = 0;
  #reading = Promise.withResolvers<Uint8Array>();

  constructor(length: number) {
    this.length = length;
  }

  read(): Promise<Uint8Array> {
    this.reads++;
    this.#reading = Promise.withResolvers();
    return this.#reading.promise;
  }

  async give(text: string): Promise<void> {
    this.#reading.resolve(Buffer.from(text));
    await settled();
  }

  async fail(): Promise<void> {
    this.#reading.reject(new Error("no more"));
    await settled();
  }

  close(): void {
    this.closed++;
  }
}

/** Resolves when all that was to happen without anything from outside has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function sending(source: BodySource, request = REQUESTS.GET) {
  const head = { status: 200, fields: [] };
  const conversation = new Conversation((_, exchange) => exchange.reply({ head, body: source }));
  conversation.send(request);
  return conversation;
}

describe("a long reply", () => {
  const start = `HTTP/1.1 200 OK\r\nDate: ${DATE}\r\nContent-Length: 4\r\n\r\n`;

  test("is read as the peer takes it", async () => {
    const source = new PiecesByHand(4);
    const { wire, requests } = sending(source, REQUESTS.GET + REQUESTS.HEAD);
    expect({ written: wire.takeText(), reads: source.reads }).toEqual({ written: start, reads: 1 });
    expect(wire.awaited).toEqual(["reply"]);
    await source.give("ab");
    expect({ written: wire.takeText(), reads: source.reads }).toEqual({ written: "ab", reads: 2 });
    wire.stalled = true;
    await source.give("c");
    expect({ written: wire.takeText(), reads: source.reads }).toEqual({ written: "c", reads: 2 });
    wire.drain();
    await settled();
    expect({ reads: source.reads, closed: source.closed, requests: requests.length }).toEqual({
      reads: 3,
      closed: 0,
      requests: 1,
    });
    await source.give("d");
    // The second request is HEAD, which reads nothing.
    expect(wire.takeText()).toBe(`d${start}`);
    expect({ reads: source.reads, requests: requests.length }).toEqual({ reads: 3, requests: 2 });
    expect({ closed: source.closed, state: wire.state }).toEqual({ closed: 2, state: "open" });
    expect(wire.awaited.at(-1)).toBe("request");
  });

  test("is read as the peer takes it, also where a connection gathers what is written", async () => {
    const source = new PiecesByHand(4);
    const { wire } = sending(source);
    const write = wire.write.bind(wire);
    wire.write = (bytes) => queueMicrotask(() => write(bytes));
    wire.stalled = true;
    await source.give("ab");
    expect({ written: wire.takeText(), reads: source.reads }).toEqual({
      written: `${start}ab`,
      reads: 1,
    });
  });

  test("is sent whole to a peer that sends no more", async () => {
    const source = new PiecesByHand(4);
    const { wire, http1, exchange } = sending(source);
    http1.receivedEnd();
    await source.give("abcd");
    expect({ written: wire.takeText(), state: wire.state }).toEqual({
      written: `${start}abcd`,
      state: "finished",
    });
    expect(exchange.aborted).toBe(false);
  });

  test.each([
    ["fails", (source: PiecesByHand) => source.fail()],
    ["gives too much", (source: PiecesByHand) => source.give("abcde")],
    ["gives nothing", (source: PiecesByHand) => source.give("")],
  ])("is cut when its source %s", async (_name, act) => {
    const source = new PiecesByHand(4);
    const { wire } = sending(source);
    await act(source);
    expect({ state: wire.state, closed: source.closed }).toEqual({ state: "cut", closed: 1 });
    expect(wire.takeText()).toBe(start);
  });

  test("is not read on when the connection has ended, while a piece is read", async () => {
    const source = new PiecesByHand(4);
    const { wire } = sending(source);
    wire.end();
    expect(source.closed).toBe(0);
    await source.give("ab");
    expect({ reads: source.reads, closed: source.closed }).toEqual({ reads: 1, closed: 1 });
    expect(wire.takeText()).toBe(start);
  });

  test("is not read on when the connection has ended, while the peer takes nothing", async () => {
    const source = new PiecesByHand(4);
    const { wire } = sending(source);
    wire.stalled = true;
    await source.give("ab");
    wire.end();
    await settled();
    expect({ reads: source.reads, closed: source.closed }).toEqual({ reads: 1, closed: 1 });
  });

  test("is closed unread when its peer has gone, or asks with HEAD", () => {
    const source = new PiecesByHand(4);
    const head = { status: 200, fields: [] };
    const conversation = new Conversation();
    conversation.send(REQUESTS.GET);
    conversation.wire.end();
    conversation.exchange.reply({ head, body: source });
    expect({ reads: source.reads, closed: source.closed }).toEqual({ reads: 0, closed: 1 });
    expect(sending(source, REQUESTS.HEAD).wire.takeText()).toBe(start);
    expect({ reads: source.reads, closed: source.closed }).toEqual({ reads: 0, closed: 2 });
  });

  test("of no bytes", async () => {
    const source = new PiecesByHand(0);
    const { wire } = sending(source);
    await settled();
    expect(wire.takeText()).toEndWith("Content-Length: 0\r\n\r\n");
    expect({ reads: source.reads, closed: source.closed }).toEqual({ reads: 0, closed: 1 });
    expect(wire.awaited.at(-1)).toBe("request");
  });

  test("closes the connection of a server that retires meanwhile", async () => {
    const source = new PiecesByHand(4);
    const { wire, http1 } = sending(source);
    http1.retire();
    await source.give("abcd");
    expect({ written: wire.takeText(), state: wire.state }).toEqual({
      written: `${start}abcd`,
      state: "finished",
    });
  });
});
