import { describe, expect, test } from "bun:test";

import { BODY_BYTES, HEAD_BYTES } from "../../../src/http/limits.ts";
import {
  answering,
  CONTINUE,
  Conversation,
  DATE,
  GET,
  OK,
  OK_TEXT,
  POST,
  replyTo,
} from "./conversation.ts";

/** Lines of requests for `/0`, `/1` and so on. */
function pipelined(count: number): string {
  return Array.from({ length: count }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: x\r\n\r\n`).join(
    "",
  );
}

function bodiesIn(replies: string): string[] {
  return replies
    .split("HTTP/1.1 200 OK\r\n")
    .slice(1)
    .map((text) => text.split("\r\n\r\n")[1] ?? "");
}

describe("several requests on a connection", () => {
  test("pipelined and answered at once", () => {
    const { wire } = answering();
    wire.send(pipelined(100));
    expect(bodiesIn(wire.takeText())).toEqual(Array.from({ length: 100 }, (_, at) => `/${at}`));
    expect(wire.held).toBe(0);
  });

  test("pipelined and answered later: one after the other", () => {
    const conversation = new Conversation();
    const { wire, requests } = conversation;
    wire.send(`${pipelined(3)}POST /3 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel`);
    expect(requests.map(({ target }) => target)).toEqual(["/0"]);
    for (const target of ["/0", "/1", "/2"]) conversation.exchange.reply(replyTo({ target }));
    expect(requests.map(({ target }) => target)).toEqual(["/0", "/1", "/2"]);
    wire.send(`lo${GET}`);
    expect(requests.at(3)).toMatchObject({ target: "/3", body: "hello" });
    conversation.exchange.reply(replyTo({ target: "/3" }));
    expect(requests).toHaveLength(5);
    expect(bodiesIn(wire.takeText())).toEqual(["/0", "/1", "/2", "/3"]);
  });

  test("a bounded part of what follows is kept while a reply is awaited", () => {
    const conversation = new Conversation();
    const { wire } = conversation;
    const following = "x".repeat(HEAD_BYTES + BODY_BYTES);
    wire.send(GET + following.slice(10));
    wire.send(following.slice(0, 10));
    expect({ state: wire.state, bounds: wire.bounds }).toEqual({ state: "open", bounds: [] });
    expect(wire.held).toBeGreaterThanOrEqual(following.length);
    wire.send("x");
    expect({ state: wire.state, bounds: wire.bounds }).toEqual({
      state: "cut",
      bounds: ["held-bytes"],
    });
    expect(wire.held).toBe(0);
    wire.end();
    expect(conversation.exchange.aborted).toBe(true);
  });

  test.each([
    ["HTTP/1.1", "HTTP/1.1", "", true],
    ["HTTP/1.1 with close", "HTTP/1.1", "Connection: Close\r\n", false],
    ["HTTP/1.1 with close in a list", "HTTP/1.1", "Connection: x-a,  close\r\n", false],
    [
      "HTTP/1.1 with close in another line",
      "HTTP/1.1",
      "Connection: x-a\r\nConnection: close\r\n",
      false,
    ],
    ["HTTP/1.1 with something like close", "HTTP/1.1", "Connection: closed\r\n", true],
    ["HTTP/1.0", "HTTP/1.0", "", false],
    ["HTTP/1.0 with keep-alive", "HTTP/1.0", "Connection: Keep-Alive\r\n", true],
    ["HTTP/1.0 with both", "HTTP/1.0", "Connection: keep-alive, close\r\n", false],
  ])("whether more may follow: %s", (_name, version, fields, more) => {
    const { wire, requests } = answering();
    wire.send(`GET / ${version}\r\nHost: x\r\n${fields}\r\n${GET}`);
    expect(requests).toHaveLength(more ? 2 : 1);
    expect(wire.state).toBe(more ? "open" : "finished");
    const [reply = ""] = wire.takeText().split("\r\n\r\n");
    const field = /Connection: .*/.exec(reply)?.[0];
    if (version === "HTTP/1.0") expect(field).toBe(more ? "Connection: keep-alive" : undefined);
    else expect(field).toBe(more ? undefined : "Connection: close");
    expect(reply).toStartWith(`${version} 200 OK\r\n`);
  });

  test("nothing is kept of what follows the last request", () => {
    const { wire, requests } = new Conversation();
    wire.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${GET}`);
    wire.send(GET.repeat(10_000));
    expect({ requests: requests.length, held: wire.held, state: wire.state }).toEqual({
      requests: 1,
      held: 0,
      state: "open",
    });
  });

  test("a request that comes whole is not copied", () => {
    const bytes = Buffer.from(POST, "latin1");
    let buffer: ArrayBufferLike | undefined;
    const { wire } = new Conversation(({ body }) => {
      if (typeof body !== "string") ({ buffer } = body);
    });
    wire.send(bytes);
    expect(buffer).toBe(bytes.buffer);
    expect(wire.held).toBe(0);
  });
});

describe("expectations", () => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n";

  test.each([
    ["Content-Length: 5\r\n\r\n", "hello"],
    ["Transfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"],
  ])("the peer is told to go on when the body is awaited: %j", (framing, body) => {
    const { wire, requests } = answering();
    wire.send(head);
    expect(wire.takeText()).toBe("");
    wire.send(framing);
    expect(wire.takeText()).toBe(CONTINUE);
    for (const byte of body) wire.send(byte);
    expect(requests).toMatchObject([{ body: "hello" }]);
    expect(wire.takeText()).toStartWith("HTTP/1.1 200 OK\r\n");
  });

  test("behind another request, after its reply", () => {
    const conversation = new Conversation();
    const { wire } = conversation;
    wire.send(`${GET}${head}Content-Length: 5\r\n\r\n`);
    expect(wire.takeText()).toBe("");
    conversation.exchange.reply(OK);
    expect(wire.takeText()).toBe(OK_TEXT + CONTINUE);
  });

  test.each([
    ["there is no body", `${head}\r\n`],
    ["the body has come", `${head}Content-Length: 5\r\n\r\nhello`],
    ["the body is too long", `${head}Content-Length: 100001\r\n\r\n`],
    [
      "HTTP/1.0 has no status 100",
      "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    ],
  ])("not when %s", (_name, text) => {
    const { wire } = new Conversation();
    wire.send(text);
    expect(wire.takeText()).toBe("");
  });

  test.each(["Transfer-Encoding: chunked", "Content-Length: 5", "Content-Length: 100001"])(
    "an unknown one is refused without waiting for the body: %s",
    (framing) => {
      const { wire, requests } = answering();
      wire.send(`POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n${framing}\r\n\r\n`);
      expect(wire.takeText()).toBe(
        `HTTP/1.1 417 Expectation Failed\r\nDate: ${DATE}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      expect({ requests, state: wire.state }).toEqual({ requests: [], state: "finished" });
    },
  );
});
