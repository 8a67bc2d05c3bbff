import { describe, expect, test } from "bun:test";

import { outcomeOf, outcomeOfAllCuts } from "./conversation.ts";

/** Requests that two readers could understand differently, and others that are none. A second request follows each. */
describe("refused, however it is cut", () => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\n";
  const cases: [name: string, text: string, status?: string][] = [
    ["garbage", "GARBAGE\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01\x00\x05hello\n\n"],
    ["no method", " / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a method that is no token", "G(T / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an empty target", "GET  HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an empty target of CONNECT", "CONNECT  HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a tab in the target", "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a tab after the method", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["two spaces before the version", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a space after the version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"],
    ["two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a relative target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a target without authority", "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a target with user information", "GET http://u@y/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a path as authority", "CONNECT y/z HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an escape that is none", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an escape that is none in absolute-form", "GET http://y/%4 HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["HTTP/0.9", "GET /\r\n\r\n"],
    ["no version", "GET / \r\nHost: x\r\n\r\n"],
    ["a version in lower case", "GET / http/1.1\r\nHost: x\r\n\r\n"],
    ["a version with more digits", "GET / HTTP/1.10\r\nHost: x\r\n\r\n"],
    ["a version without minor", "GET / HTTP/1\r\nHost: x\r\n\r\n"],
    ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505 HTTP Version Not Supported"],
    ["HTTP/0.9 in numbers", "GET / HTTP/0.9\r\nHost: x\r\n\r\n", "505 HTTP Version Not Supported"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"],
    [
      "HTTP/2.0 before a NUL",
      "GET / HTTP/2.0\r\nHost: \0x\r\n\r\n",
      "505 HTTP Version Not Supported",
    ],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"],
    [
      "no Host for CONNECT",
      "CONNECT y:1 HTTP/1.1\r\n\r\n",
      "400 Bad Request: missing required Host header",
    ],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"],
    ["a Host with a space", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n"],
    ["a Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"],
    ["a Host with user information", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n"],
    ["a Host with two ports", "GET / HTTP/1.1\r\nHost: x:1:2\r\n\r\n"],
    ["a Host with a port in letters", "GET / HTTP/1.1\r\nHost: x:a\r\n\r\n"],
    ["an open bracket in Host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"],
    ["a malformed Host under absolute-form", "GET http://y/ HTTP/1.1\r\nHost: x y\r\n\r\n"],
    ["a space before the colon", `${head}Content-Length : 5\r\n\r\nhello`],
    ["a tab before the colon", `${head}Transfer-Encoding\t: chunked\r\n\r\n`],
    ["a folded line", `${head}X-A: 1\r\n 2\r\n\r\n`],
    ["a folded length", `${head}Content-Length:\r\n\t5\r\n\r\nhello`],
    ["a first field with white space before it", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"],
    ["a line of white space", `${head} \r\n\r\n`],
    ["no name", `${head}: 1\r\n\r\n`],
    ["no colon", `${head}X-A\r\n\r\n`],
    ["a name that is no token", `${head}X(A): 1\r\n\r\n`],
    ["a name beyond ASCII", `${head}X\xe9: 1\r\n\r\n`],
    ["a NUL in a name", `${head}X\0A: 1\r\n\r\n`],
    ["a NUL in a value", `${head}X-A: 1\0\r\n\r\n`],
    ["a control character in a value", `${head}X-A: \x0b1\r\n\r\n`],
    ["a DEL in a value", `${head}X-A: \x7f\r\n\r\n`],
    ["a CR in a value", `${head}X-A: 1\rContent-Length: 5\r\n\r\nhello`],
    ["a CR as line end", "GET / HTTP/1.1\rHost: x\r\r\n\r\n"],
    ["two CRs before an LF", `${head}X-A: 1\r\r\n\r\n`],
    ["a CR in the request line", "GET /\r HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a NUL in the target", "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"],
    [
      "length and chunks",
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      "chunks and length",
      `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    ],
    [
      "chunks and the length 0",
      `${head}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n`,
    ],
    ["chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
    ["two spellings of a length", `${head}Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello`],
    ["a list of lengths", `${head}Content-Length: 5, 5\r\n\r\nhello`],
    ["an empty length", `${head}Content-Length:\r\n\r\n`],
    ["a length with a sign", `${head}Content-Length: +5\r\n\r\nhello`],
    ["a negative length", `${head}Content-Length: -5\r\n\r\nhello`],
    ["a length in hexadecimal", `${head}Content-Length: 0x5\r\n\r\nhello`],
    ["a length with an exponent", `${head}Content-Length: 5e0\r\n\r\nhello`],
    ["a length with a fraction", `${head}Content-Length: 5.0\r\n\r\nhello`],
    ["a length with a space inside", `${head}Content-Length: 5 5\r\n\r\nhello`],
    ["a length beyond 53 bits", `${head}Content-Length: 9007199254740992\r\n\r\nhello`],
    ["an unknown coding", `${head}Transfer-Encoding: gzip\r\n\r\n`, "501 Not Implemented"],
    [
      "an unknown coding before chunks",
      `${head}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      "501 Not Implemented",
    ],
    [
      "a coding after chunks",
      `${head}Transfer-Encoding: chunked, identity\r\n\r\n`,
      "501 Not Implemented",
    ],
    [
      "chunks twice",
      `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "501 Not Implemented",
    ],
    ["a coding with a control character", `${head}Transfer-Encoding: \x0bchunked\r\n\r\n`],
    ["a coding in quotes", `${head}Transfer-Encoding: "chunked"\r\n\r\n`, "501 Not Implemented"],
    ["an empty coding", `${head}Transfer-Encoding:\r\n\r\n`, "501 Not Implemented"],
  ];
  test.each(cases)("%s", (_name, text, status = "400 Bad Request") => {
    const { requests, replies, state } = outcomeOfAllCuts(
      `${text}GET /next HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect({ requests, state }).toEqual({ requests: [], state: "finished" });
    expect(replies).toBe(
      `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`,
    );
  });

  test("a request line is refused before its fields come", () => {
    expect(outcomeOf(["GARBAGE\r\n"])).toMatchObject({ state: "finished" });
    expect(outcomeOf(["GET / HTTP/2.0\n"]).replies).toStartWith("HTTP/1.1 505 ");
    expect(outcomeOf(["GET / HTTP/1.1\r\n"])).toMatchObject({ replies: "", state: "open" });
  });
});
