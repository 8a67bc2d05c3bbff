import { describe, expect, test } from "bun:test";

import { outcomeOfAllCuts, SEEN_GET, SEEN_POST, type SeenRequest } from "./conversation.ts";

describe("accepted, however it is cut", () => {
  const cases: [name: string, text: string, request: SeenRequest][] = [
    ["GET", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", SEEN_GET],
    [
      "any token as method",
      "a!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: x\r\n\r\n",
      { ...SEEN_GET, method: "a!#$%&'*+-.^_`|~9" },
    ],
    ["lines that end in LF", "GET / HTTP/1.1\nHost: x\n\n", SEEN_GET],
    ["both line ends mixed", "GET / HTTP/1.1\r\nHost: x\n\r\n", SEEN_GET],
    [
      "an empty line that ends in LF, then a body of an empty line",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\n\r\n",
      { ...SEEN_POST, body: "\r\n" },
    ],
    ["an empty line before", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", SEEN_GET],
    ["an LF before", "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", SEEN_GET],
    ["a minor version that is unknown", "GET / HTTP/1.9\r\nHost: x\r\n\r\n", SEEN_GET],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", { ...SEEN_GET, fields: { host: "" } }],
    [
      "an IPv6 address as Host",
      "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
      { ...SEEN_GET, fields: { host: "[::1]:80" } },
    ],
    [
      "names in any letter case",
      "POST / HTTP/1.1\r\nhOST: x\r\ncONTENT-lENGTH: 5\r\n\r\nhello",
      SEEN_POST,
    ],
    [
      "white space around values",
      "POST / HTTP/1.1\r\nHost: \t x\t \r\nContent-Length: \t5 \r\n\r\nhello",
      SEEN_POST,
    ],
    [
      "bytes beyond ASCII in values",
      "GET / HTTP/1.1\r\nHost: x\r\nX-A: \xe9\xff\r\n\r\n",
      { ...SEEN_GET, fields: { host: "x", "x-a": "\xe9\xff" } },
    ],
    [
      "several lines of one name",
      "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-B: 2\r\nx-a:3\r\n\r\n",
      { ...SEEN_GET, fields: { host: "x", "x-a": "1, 3" } },
    ],
    [
      "an empty value",
      "GET / HTTP/1.1\r\nHost: x\r\nX-A: \r\n\r\n",
      { ...SEEN_GET, fields: { host: "x", "x-a": "" } },
    ],
    [
      "a query with an odd escape",
      "GET /?%zz HTTP/1.1\r\nHost: x\r\n\r\n",
      { ...SEEN_GET, target: "/?%zz" },
    ],
    [
      "absolute-form",
      "GET http://y:80/a?b HTTP/1.1\r\nHost: x\r\n\r\n",
      { ...SEEN_GET, target: "/a?b", fields: { host: "y:80" } },
    ],
    [
      "absolute-form without path",
      "GET https://y HTTP/1.1\r\nHost: x\r\n\r\n",
      { ...SEEN_GET, target: "/", fields: { host: "y" } },
    ],
    [
      "absolute-form with only a query",
      "GET http://y?b HTTP/1.1\r\nHost: x\r\n\r\n",
      { ...SEEN_GET, target: "/?b", fields: { host: "y" } },
    ],
    [
      "CONNECT",
      "CONNECT y:443 HTTP/1.1\r\nHost: x\r\n\r\n",
      { ...SEEN_GET, method: "CONNECT", target: "y:443" },
    ],
    [
      "a body with its length",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
      SEEN_POST,
    ],
    [
      "the same length twice",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
      SEEN_POST,
    ],
    [
      "a length with zeros before it",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 000000000000000000005\r\n\r\nhello",
      SEEN_POST,
    ],
    [
      "GET with a body",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
      { ...SEEN_GET, body: "hello" },
    ],
    [
      "one chunk",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      SEEN_POST,
    ],
    [
      "no chunk",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      { ...SEEN_POST, body: "" },
    ],
    [
      "several chunks",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n2\r\nhe\r\n1\r\nl\r\n02\r\nlo\r\n000\r\n\r\n",
      SEEN_POST,
    ],
    [
      "chunks with extensions",
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c="d"\r\nhello\r\n0 ; e\r\n\r\n',
      SEEN_POST,
    ],
    [
      "chunks with trailers",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: 1\r\nHost: y\r\n\r\n",
      SEEN_POST,
    ],
    [
      "a body that looks like a request",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 21\r\n\r\nGET /b HTTP/1.1\r\n\r\n\r\n",
      { ...SEEN_POST, body: "GET /b HTTP/1.1\r\n\r\n\r\n" },
    ],
    ["an empty Expect", "GET / HTTP/1.1\r\nHost: x\r\nExpect:\r\n\r\n", SEEN_GET],
    [
      "an expectation",
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello",
      SEEN_POST,
    ],
  ];
  test.each(cases)("%s", (_name, text, request) => {
    expect(outcomeOfAllCuts(text)).toMatchObject({ requests: [request], state: "open" });
  });

  test("HTTP/1.0 without Host", () => {
    const outcome = outcomeOfAllCuts("GET / HTTP/1.0\r\n\r\n");
    expect(outcome).toMatchObject({ requests: [{ ...SEEN_GET, fields: {} }], state: "finished" });
  });
});
