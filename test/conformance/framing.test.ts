import { afterAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";

import { RawConnection } from "../frontend/http/raw-http.ts";
import {
  type Difference,
  EMPTY_LINE_FIRST,
  expected,
  FOLDED_LINE,
  LENGTH_AND_CODING,
  LONG_HEADER,
  NAT_HEADER_WITH_COMMA,
} from "./differences.ts";
import { exchange } from "./http-answer.ts";
import { startTarget } from "./target.ts";

const broker = await startTarget();
afterAll(() => broker[Symbol.asyncDispose]());

/** A request with `1.0`, a line feed and `{}` for a body, which a client is told something about. */
function clientRequest(method: string, headers = ""): string {
  return `${method} /client HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: 6\r\n\r\n1.0\n{}`;
}

const NO_OFFER = '200 {"error":"no supplied offer"}';

/** The status code and the body that a request is answered with, or what becomes of its connection. */
async function outcome(request: string): Promise<string> {
  const { statusLine, body, connection } = await exchange(broker.port, request);
  return statusLine === "" ? connection : `${statusLine.split(" ")[1]} ${body}`;
}

/** Everything that is received after the request when the sending half is closed behind it. */
function outcomeOfHalfClose(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect({ host: "127.0.0.1", port: broker.port, allowHalfOpen: true });
    socket.on("data", (bytes) => (received += bytes.toString("latin1")));
    socket.on("end", () => resolve(received));
    socket.on("error", reject);
    socket.end(request);
  });
}

describe("a request", () => {
  test("may have its body in chunks", async () => {
    const request =
      "POST /client HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "2\r\n1.\r\n4\r\n0\n{}\r\n0\r\n\r\n";
    expect(await outcome(request)).toBe(NO_OFFER);
  });

  test("may wait with its body until it is asked for", async () => {
    const connection = await RawConnection.open(broker.port);
    connection.send(clientRequest("POST", "Expect: 100-continue\r\n").slice(0, -6));
    await connection.until(({ received }) => received === "HTTP/1.1 100 Continue\r\n\r\n");
    connection.send("1.0\n{}");
    await connection.until(({ received }) => received.endsWith(NO_OFFER.slice(4)));
    connection.end();
  });

  test.each(["PUT", "DELETE", "PATCH"])("may have the method %s", async (method) => {
    expect(await outcome(clientRequest(method))).toBe(NO_OFFER);
  });

  test("says nothing by its Content-Encoding", async () => {
    expect(await outcome(clientRequest("POST", "Content-Encoding: gzip\r\n"))).toBe(NO_OFFER);
  });

  test("is answered although nothing will follow it", async () => {
    const received = await outcomeOfHalfClose(clientRequest("POST"));
    expect(received).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(received).toEndWith(`\r\n\r\n${NO_OFFER.slice(4)}`);
  });

  test("of another version is refused", async () => {
    expect(await outcome("GET /debug HTTP/2.0\r\nHost: x\r\n\r\n")).toStartWith("505 ");
  });

  test("with more than 1 MiB of headers is refused", async () => {
    const headers = `X: ${"x".repeat(1_100_000)}\r\n`;
    expect(await outcome(clientRequest("POST", headers))).toStartWith("431 ");
  });

  test("of a legacy client has the NAT type of its first header line", async () => {
    expect(await outcome(legacyRequest("open\r\nSnowflake-NAT-Type: bogus"))).toBe("503 ");
  });
});

function legacyRequest(nat: string): string {
  const body = '{"type":"offer","sdp":""}';
  const headers = `Snowflake-NAT-Type: ${nat}\r\nContent-Length: ${body.length}\r\n`;
  return `POST /client HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;
}

test.each(["/debug", "/robots.txt", "/nowhere", "//debug"])("%s has a date", async (path) => {
  const connection = await RawConnection.open(broker.port);
  connection.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await connection.until(({ received }) => received.includes("\r\n\r\n"));
  expect(connection.received).toMatch(
    /\r\ndate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT\r\n/i,
  );
  connection.end();
});

test.each([
  ["/debug", "current snowflakes available: "],
  ["/metrics", "HTTP/1.1 200 OK\r\n"],
  ["/prometheus", "# HELP snowflake_"],
  ["/robots.txt", "User-agent: *\n"],
  ["/nowhere", "404 page not found\n"],
  ["/amp/client/0/x", "<!doctype html>"],
])("%s is answered although nothing will follow the request", async (path, part) => {
  const received = await outcomeOfHalfClose(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(received).toInclude(part);
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(received)?.[1];
  // In chunks, the last one tells that all is there.
  if (length === undefined) expect(received).toEndWith("\r\n0\r\n\r\n");
  else expect(received.length - received.indexOf("\r\n\r\n") - 4).toBe(Number(length));
});

test("a body that is cut short is refused", async () => {
  expect(await outcomeOfHalfClose(clientRequest("POST").slice(0, -1))).toStartWith(
    "HTTP/1.1 400 Bad Request\r\n",
  );
});

test.each([
  ["an invented method", clientRequest("FROB"), NO_OFFER],
  ["GET with a body", clientRequest("GET"), NO_OFFER],
  [
    "encoded dots",
    "GET /a/%2e%2e/robots.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    "404 404 page not found\n",
  ],
  ["a header of 20,000 bytes", clientRequest("POST", `X: ${"x".repeat(20_000)}\r\n`), NO_OFFER],
])("%s", async (_, request, expectedOutcome) => {
  expect(await outcome(request)).toBe(expectedOutcome);
});

describe("differences", () => {
  const cases: readonly (readonly [string, Difference<string>, string])[] = [
    [
      "a header of 70,000 bytes",
      LONG_HEADER,
      clientRequest("POST", `X: ${"x".repeat(70_000)}\r\n`),
    ],
    [
      "a length and a transfer coding",
      LENGTH_AND_CODING,
      "POST /client HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "6\r\n1.0\n{}\r\n0\r\n\r\n",
    ],
    ["a folded line", FOLDED_LINE, clientRequest("POST", "X: a\r\n b\r\n")],
    ["an empty line first", EMPTY_LINE_FIRST, `\r\n${clientRequest("POST")}`],
    ["a comma in the NAT header", NAT_HEADER_WITH_COMMA, legacyRequest("open, bogus")],
  ];
  for (const [name, difference, request] of cases) {
    test(`${name} (differs: ${difference.reason})`, async () => {
      expect(await outcome(request)).toBe(expected(difference));
    });
  }
});
