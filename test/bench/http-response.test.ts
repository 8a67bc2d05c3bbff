import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { parseResponse } from "../../bench/http-response.ts";

const SIZED = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=1\r\n, world 12\r\n0\r\n\r\n";

describe("parseResponse", () => {
  test.each([
    ["sized", SIZED, 200, "hello"],
    ["empty", "HTTP/1.1 400 Bad Request\r\ncontent-length:0\r\n\r\n", 400, ""],
    ["no reason", "HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", 503, ""],
    ["upper case", "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: \t2 \r\nA: b\r\n\r\nok", 200, "ok"],
    ["length in bytes", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nä!", 200, "ä!"],
    ["a body like a head", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\r\n\r\n", 200, "\r\n\r\n"],
    ["chunked", CHUNKED, 200, "hello, world 12"],
    ["no chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""],
    [
      "trailers",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nok\r\n000\r\nA: b\r\n\r\n",
      200,
      "ok",
    ],
  ])("%s: complete at its last byte, and not before", (_, text, status, body) => {
    const bytes = Buffer.from(text);
    for (let length = 0; length < bytes.length; length++)
      expect(parseResponse(bytes.subarray(0, length))).toBeUndefined();
    expect(parseResponse(bytes)).toEqual({ status, body });
  });

  test.each([
    ["another protocol", "SSH-2.0-x\r\n\r\n"],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
    ["unknown length", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"],
    ["a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n1"],
    ["a length in another header's name", "HTTP/1.1 200 OK\r\nX-Content-Length: 0\r\n\r\n"],
    ["more than its length", `${SIZED}!`],
    ["two responses", SIZED + SIZED],
    ["more than its chunks", `${CHUNKED}0`],
    ["a chunk size that is no number", CHUNKED.replace("\r\n5\r\n", "\r\nz\r\n")],
    ["a negative chunk size", CHUNKED.replace("\r\n5\r\n", "\r\n-5\r\n")],
    ["a chunk longer than its size", CHUNKED.replace("\r\n5\r\n", "\r\n4\r\n")],
  ])("%s: throws", (_, text) => {
    expect(() => parseResponse(Buffer.from(text))).toThrow();
  });

  test("any body in any chunks", () => {
    const unit = fc.constantFrom("a", "0", "\r\n", "é", "😀");
    const text = fc.string({ unit, minLength: 1 });
    fc.assert(
      fc.property(fc.array(text), (pieces) => {
        const chunks = pieces.map((piece) => {
          const size = Buffer.byteLength(piece).toString(16);
          return `${size}\r\n${piece}\r\n`;
        });
        const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        const bytes = Buffer.from(`${head}${chunks.join("")}0\r\n\r\n`);
        expect(parseResponse(bytes)).toEqual({ status: 200, body: pieces.join("") });
        expect(parseResponse(bytes.subarray(0, -1))).toBeUndefined();
      }),
    );
  });

  test("any bytes are a response, part of one, or an error", () => {
    const start = fc.constantFrom("", "HTTP/1.1 200 OK\r\n", SIZED, CHUNKED);
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 60 }), (text, tail) => {
        let outcome: unknown;
        try {
          outcome = typeof parseResponse(Buffer.concat([Buffer.from(text), tail]))?.status;
        } catch (error) {
          outcome = error;
        }
        const isError = outcome instanceof Error && !(outcome instanceof TypeError);
        expect(outcome === "number" || outcome === "undefined" || isError).toBe(true);
      }),
    );
  });
});
