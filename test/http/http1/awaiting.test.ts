import { describe, expect, test } from "bun:test";

import { answering, Conversation, LAST_OK_TEXT, OK, POST } from "./conversation.ts";

describe("what the peer is awaited for", () => {
  test("a request that is answered at once only starts the idle time again", () => {
    const { wire } = answering();
    wire.send(POST);
    wire.send(POST);
    expect(wire.awaited).toEqual(["request", "request"]);
  });

  test("head, body and reply, each from its beginning on", () => {
    const conversation = new Conversation();
    const { wire } = conversation;
    for (const byte of POST) wire.send(byte);
    expect(wire.awaited).toEqual(["head", "body", "reply"]);
    conversation.exchange.reply(OK);
    expect(wire.awaited).toEqual(["head", "body", "reply", "request"]);
  });

  test("the next body, though a body was awaited before", () => {
    const { wire } = answering();
    wire.send(POST.slice(0, -1));
    wire.send(`o${POST.slice(0, -1)}`);
    expect(wire.awaited).toEqual(["body", "body"]);
  });

  test("an empty line after a body is no request, and does not start the idle time again", () => {
    const { wire } = answering();
    wire.send(POST);
    wire.send("\r");
    wire.send("\n");
    expect(wire.awaited).toEqual(["request", "head", "request"]);
    wire.send(`${POST}\n`);
    expect(wire.awaited).toEqual(["request", "head", "request", "request"]);
    expect(wire.held).toBe(0);
  });

  test("bytes are held while something is incomplete", () => {
    const { wire } = answering();
    wire.send(POST.slice(0, 20));
    expect(wire.held).toBe(20);
    wire.send(POST.slice(20));
    expect(wire.held).toBe(0);
    wire.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n");
    wire.send("x".repeat(999));
    expect(wire.held).toBeGreaterThanOrEqual(999);
    wire.send("x\r\n0\r\n\r\n");
    expect(wire.held).toBe(0);
  });

  test("the connection is cut when all together hold too much", () => {
    const { wire } = answering();
    wire.holdLimit = 10;
    wire.send(POST.slice(0, 20));
    expect({ state: wire.state, held: wire.held }).toEqual({ state: "cut", held: 0 });
  });

  test("idle time is over", () => {
    const { wire, http1 } = answering();
    wire.send(POST);
    http1.timedOut("request");
    expect(wire.state).toBe("finished");
  });

  test("time for the head is over", () => {
    const { wire, http1, requests } = answering();
    wire.send(POST.slice(0, 20));
    http1.timedOut("head");
    expect({ requests, state: wire.state, replies: wire.takeText() }).toEqual({
      requests: [],
      state: "cut",
      replies: "",
    });
  });

  test("time for the body is over", () => {
    const conversation = new Conversation();
    const { wire, http1, requests } = conversation;
    wire.send(POST.slice(0, -1));
    http1.timedOut("body");
    expect(requests).toMatchObject([{ body: "<broken>" }]);
    expect(wire.awaited.at(-1)).toBe("reply");
    wire.send(`o${POST}`);
    conversation.exchange.reply(OK);
    expect(wire.takeText()).toBe(LAST_OK_TEXT);
    expect({ count: requests.length, state: wire.state }).toEqual({ count: 1, state: "finished" });
  });
});
