import { describe, expect, test } from "bun:test";

import { BODY_BYTES, HEAD_BYTES, HEAD_FIELDS } from "../../../src/http/limits.ts";
import { Conversation, outcomeOf, outcomeOfAllCuts, SEEN_POST } from "./conversation.ts";

/** The handler hears of these, and the connection ends with its reply. */
describe("a body that can't be read, however it is cut", () => {
  const cases: [name: string, body: string][] = [
    ["no size", "\r\nhello\r\n0\r\n\r\n"],
    ["a size that is no number", "x\r\nhello\r\n0\r\n\r\n"],
    ["a size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"],
    ["a size with a sign", "+5\r\nhello\r\n0\r\n\r\n"],
    ["a size with an underscore", "0_5\r\nhello\r\n0\r\n\r\n"],
    ["a size with white space before it", " 5\r\nhello\r\n0\r\n\r\n"],
    ["a size of 17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"],
    ["a size line that ends in LF", "5\nhello\r\n0\r\n\r\n"],
    ["a CR in a size line", "5;\r;\r\nhello\r\n0\r\n\r\n"],
    ["an LF in a quoted extension", '5;a="\n"\r\nhello\r\n0\r\n\r\n'],
    ["a control character in an extension", "5;\0\r\nhello\r\n0\r\n\r\n"],
    ["an extension without semicolon", "5 a\r\nhello\r\n0\r\n\r\n"],
    ["a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
    ["a chunk shorter than its size", "6\r\nhello\r\n0\r\n\r\n"],
    ["a chunk that ends in LF", "5\r\nhello\n0\r\n\r\n"],
    ["a chunk that ends in two other bytes", "5\r\nhelloXX0\r\n\r\n"],
    ["a last chunk that ends in LF", "5\r\nhello\r\n0\n\n"],
    ["trailers that end in LF", "0\r\nX-A: 1\n\r\n"],
    ["a trailer without colon", "0\r\nX-A\r\n\r\n"],
    ["a trailer with a space before its colon", "0\r\nX-A : 1\r\n\r\n"],
    ["a folded trailer", "0\r\nX-A: 1\r\n 2\r\n\r\n"],
  ];
  test.each(cases)("%s", (_name, body) => {
    const head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const text = `${head}${body}GET /next HTTP/1.1\r\nHost: x\r\n\r\n`;
    const { requests, replies, state } = outcomeOfAllCuts(text);
    expect({ requests, state }).toEqual({
      requests: [{ ...SEEN_POST, body: "<broken>" }],
      state: "finished",
    });
    expect(replies).toContain("Connection: close\r\n");
  });

  test("extensions are not for sending much that counts for nothing", () => {
    const chunk = `1;${"x".repeat(1000)}\r\nh\r\n`;
    const head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(outcomeOf([`${head}${chunk.repeat(15)}0\r\n\r\n`]).requests[0]?.body).toHaveLength(15);
    expect(outcomeOf([`${head}${chunk.repeat(20)}0\r\n\r\n`]).requests[0]?.body).toBe("<broken>");
    const line = `5;${"x".repeat(4094)}`;
    expect(outcomeOf([head, `${line}\r\nhello\r\n0\r\n\r\n`]).requests[0]?.body).toBe("hello");
    expect(outcomeOf([head, `${line}x`, "x"]).requests[0]?.body).toBe("<broken>");
  });

  test("single bytes may be sent as chunks", () => {
    const head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const text = `${head}${"1\r\nx\r\n".repeat(BODY_BYTES)}0\r\n\r\n`;
    expect(outcomeOf([text]).requests[0]?.body).toBe("x".repeat(BODY_BYTES));
  });

  test("trailers are bounded", () => {
    const head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    const trailers = `X-A: ${"x".repeat(993)}\r\n`.repeat(70);
    expect(outcomeOf([`${head}${trailers}\r\n`]).requests[0]?.body).toBe("<broken>");
  });
});

describe("bounds", () => {
  const bounded = (text: string) => {
    const conversation = new Conversation();
    conversation.send(text);
    return { requests: conversation.requests.length, bounds: conversation.wire.bounds };
  };
  const longHead = (bytes: number) => {
    const start = "GET / HTTP/1.1\r\nHost: x\r\nX-B: ";
    return `${start.padEnd(bytes - 4, "b")}\r\n\r\n`;
  };

  test("a head may have so many bytes", () => {
    expect(bounded(longHead(HEAD_BYTES))).toEqual({ requests: 1, bounds: [] });
    expect(bounded(longHead(HEAD_BYTES + 1))).toEqual({ requests: 0, bounds: ["head-size"] });
    expect(outcomeOf([longHead(HEAD_BYTES + 1)]).replies).toStartWith(
      "HTTP/1.1 431 Request Header Fields Too Large\r\n",
    );
    const pieces = [longHead(HEAD_BYTES + 1).slice(0, HEAD_BYTES), "b"];
    expect(outcomeOf(pieces).replies).toStartWith("HTTP/1.1 431 ");
  });

  test("a long body after a head with LFs is none of it", () => {
    const body = `${"x".repeat(BODY_BYTES - 3)}\n\r\n`;
    const head = `POST / HTTP/1.1\nHost: x\nContent-Length: ${BODY_BYTES}\n\n`;
    expect(outcomeOf([head + body]).requests[0]?.body).toBe(body);
  });

  test("a request line that is too long is refused as a head", () => {
    expect(outcomeOf(["G".repeat(HEAD_BYTES + 1)]).replies).toStartWith("HTTP/1.1 431 ");
    expect(outcomeOf([`GARBAGE\r\n${longHead(HEAD_BYTES)}`]).replies).toStartWith("HTTP/1.1 400 ");
  });

  test("a head may have so many fields", () => {
    const withFields = (count: number) =>
      `GET / HTTP/1.1\r\nHost: x\r\n${"X-B: b\r\n".repeat(count - 1)}\r\n`;
    expect(bounded(withFields(HEAD_FIELDS))).toEqual({ requests: 1, bounds: [] });
    expect(bounded(withFields(HEAD_FIELDS + 1))).toEqual({ requests: 0, bounds: ["field-count"] });
    expect(outcomeOf([withFields(HEAD_FIELDS + 1)]).replies).toStartWith("HTTP/1.1 431 ");
  });

  test.each([
    ["with its length", `Content-Length: ${BODY_BYTES}`, "x".repeat(BODY_BYTES)],
    ["in chunks", "Transfer-Encoding: chunked", `186a0\r\n${"x".repeat(BODY_BYTES)}\r\n0\r\n\r\n`],
  ])("the longest body, %s", (_name, framing, sent) => {
    const text = `POST / HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n${sent}`;
    const body = "x".repeat(BODY_BYTES);
    expect(outcomeOf([text]).requests).toEqual([{ ...SEEN_POST, body }]);
    const pieces = text.match(/.{1,999}/gs) ?? [];
    expect(outcomeOf(pieces).requests).toEqual([{ ...SEEN_POST, body }]);
  });

  test.each([
    ["with its length", `Content-Length: ${BODY_BYTES + 1}\r\n\r\n`],
    ["with the longest length that can be told", "Content-Length: 9007199254740991\r\n\r\n"],
    ["in one chunk", "Transfer-Encoding: chunked\r\n\r\n186a1\r\n"],
    ["in chunks", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n186a0\r\n"],
    ["in a chunk beyond all numbers", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"],
  ])("a longer one is not waited for, %s", (_name, text) => {
    const conversation = new Conversation();
    conversation.send(`POST / HTTP/1.1\r\nHost: x\r\n${text}`);
    expect(conversation.requests).toEqual([{ ...SEEN_POST, body: "<too-long>" }]);
    expect(conversation.wire.bounds).toEqual(["body-size"]);
    conversation.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10_000));
    expect(conversation.wire.held).toBe(0);
    conversation.exchange.reply({ head: { status: 400, fields: [] }, body: undefined });
    expect(conversation.wire.takeText()).toContain("Connection: close\r\n");
    expect(conversation.wire.state).toBe("finished");
    expect(conversation.requests).toHaveLength(1);
  });
});
