import { describe, expect, test } from "bun:test";

import {
  answering,
  Conversation,
  DATE,
  GET,
  LAST_OK_TEXT,
  OK,
  OK_TEXT,
  POST,
  startedWith,
} from "./conversation.ts";

describe("a peer that sends no more", () => {
  test("while the connection idles", () => {
    const { wire, http1 } = answering();
    wire.send(GET);
    wire.take();
    http1.receivedEnd();
    expect({ state: wire.state, replies: wire.takeText() }).toEqual({
      state: "finished",
      replies: "",
    });
  });

  test("within a head", () => {
    const { wire, http1, requests } = answering();
    wire.send(GET.slice(0, -1));
    http1.receivedEnd();
    expect(wire.takeText()).toStartWith("HTTP/1.1 400 Bad Request\r\n");
    expect({ requests, state: wire.state }).toEqual({ requests: [], state: "finished" });
  });

  test.each([
    "Content-Length: 5\r\n\r\nhell",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
  ])("within a body: %j", (rest) => {
    const { wire, http1, requests } = answering();
    wire.send(`POST / HTTP/1.1\r\nHost: x\r\n${rest}`);
    http1.receivedEnd();
    expect(requests).toMatchObject([{ body: "<broken>" }]);
    expect(wire.takeText()).toContain("Connection: close\r\n");
    expect(wire.state).toBe("finished");
  });

  test("has hung up if somebody waits for it", () => {
    let aborted = 0;
    const conversation = new Conversation((_, exchange) =>
      exchange.addEventListener("abort", () => aborted++),
    );
    const { wire, http1, exchange, requests } = startedWith(conversation, GET + GET);
    expect(exchange.aborted).toBe(false);
    http1.receivedEnd();
    expect({ aborted, state: wire.state, requests: requests.length }).toEqual({
      aborted: 1,
      state: "finished",
      requests: 1,
    });
    expect(exchange.aborted).toBe(true);
    exchange.reply(OK);
    wire.end();
    expect({ aborted, replies: wire.takeText() }).toEqual({ aborted: 1, replies: "" });
  });

  test("gets its replies if nobody does, and then the end", () => {
    const conversation = new Conversation();
    const { wire, http1, exchange, requests } = startedWith(conversation, GET + GET);
    http1.receivedEnd();
    expect({ aborted: exchange.aborted, state: wire.state }).toEqual({
      aborted: false,
      state: "open",
    });
    exchange.reply(OK);
    expect({ requests: requests.length, state: wire.state }).toEqual({
      requests: 2,
      state: "open",
    });
    conversation.exchange.reply(OK);
    expect({ replies: wire.takeText(), state: wire.state }).toEqual({
      replies: OK_TEXT + OK_TEXT,
      state: "finished",
    });
  });

  test("has hung up for who begins to wait for it then", async () => {
    let aborted = 0;
    const conversation = new Conversation();
    const { wire, http1, exchange } = startedWith(conversation, GET);
    http1.receivedEnd();
    exchange.addEventListener("abort", () => aborted++);
    expect(aborted).toBe(0);
    await Promise.resolve();
    expect({ aborted, state: wire.state }).toEqual({ aborted: 1, state: "finished" });
  });
});

describe("the end of a connection", () => {
  test("aborts the exchange that waits", () => {
    let aborted = 0;
    const conversation = new Conversation((_, exchange) =>
      exchange.addEventListener("abort", () => aborted++),
    );
    const { wire, exchange, requests } = startedWith(conversation, GET + GET);
    expect(exchange.remoteAddress).toBe("192.0.2.1");
    wire.end();
    expect({ aborted, requests: requests.length }).toEqual({ aborted: 1, requests: 1 });
    expect({ aborted: exchange.aborted, address: exchange.remoteAddress }).toEqual({
      aborted: true,
      address: undefined,
    });
    exchange.reply(OK);
    exchange.addEventListener("abort", () => aborted++);
    expect({ aborted, replies: wire.takeText() }).toEqual({ aborted: 1, replies: "" });
  });

  test("does not abort what was answered", () => {
    let aborted = 0;
    const { wire } = new Conversation((_, exchange) => {
      exchange.addEventListener("abort", () => aborted++);
      exchange.reply(OK);
    });
    wire.send(GET);
    wire.end();
    expect(aborted).toBe(0);
  });

  test("a listener that throws is a bug of ours", () => {
    const bug = new Error("bug");
    const conversation = new Conversation((_, exchange) =>
      exchange.addEventListener("abort", () => {
        throw bug;
      }),
    );
    startedWith(conversation, GET).wire.end();
    expect(conversation.bugs).toEqual([bug]);
  });
});

describe("a connection that retires", () => {
  test("takes its first request, and closes with the reply", () => {
    const { wire, http1 } = new Conversation((_, exchange) => exchange.reply(OK));
    http1.retire();
    expect(wire.state).toBe("open");
    wire.send(GET + GET);
    expect({ replies: wire.takeText(), state: wire.state }).toEqual({
      replies: LAST_OK_TEXT,
      state: "finished",
    });
  });

  test("closes at once when it idles after a request", () => {
    const { wire, http1 } = answering();
    wire.send(GET);
    http1.retire();
    expect(wire.state).toBe("finished");
  });

  test.each([
    ["a reply", GET.length],
    ["a body", POST.length - 1],
    ["a head", 10],
  ])("finishes with %s that is awaited", (_name, sent) => {
    const conversation = new Conversation();
    const text = sent === GET.length ? GET : POST;
    const { wire, http1 } = conversation;
    wire.send(text.slice(0, sent));
    http1.retire();
    wire.send(text.slice(sent));
    expect(wire.state).toBe("open");
    conversation.exchange.reply(OK);
    expect({ replies: wire.takeText(), state: wire.state }).toEqual({
      replies: LAST_OK_TEXT,
      state: "finished",
    });
  });
});

describe("bugs of ours", () => {
  const failed = `HTTP/1.1 500 Internal Server Error\r\nDate: ${DATE}\r\nContent-Length: 0\r\n\r\n`;

  test("a handler that throws", () => {
    const bug = new Error("bug");
    const conversation = new Conversation(() => {
      throw bug;
    });
    const { wire } = startedWith(conversation, GET);
    expect({ bugs: conversation.bugs, replies: wire.takeText(), state: wire.state }).toEqual({
      bugs: [bug],
      replies: failed,
      state: "open",
    });
  });

  test("a handler that fails later", () => {
    const conversation = new Conversation();
    const { wire, exchange } = startedWith(conversation, GET);
    exchange.fail("bug");
    expect({ bugs: conversation.bugs, replies: wire.takeText() }).toEqual({
      bugs: ["bug"],
      replies: failed,
    });
  });

  test("a second reply goes nowhere, not to the next request either", () => {
    const conversation = new Conversation();
    const { wire, exchange, requests } = startedWith(conversation, GET + GET);
    exchange.reply(OK);
    exchange.reply(OK);
    exchange.fail("bug");
    expect({ replies: wire.takeText(), requests: requests.length }).toEqual({
      replies: OK_TEXT,
      requests: 2,
    });
    expect(conversation.bugs).toEqual(["bug"]);
  });
});
