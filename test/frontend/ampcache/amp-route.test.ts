import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { writeDescription } from "../../../src/messages/session-description.ts";
import { until } from "../../interop/waiting.ts";
import { encodeAmpPath, readAmpResponse } from "../../kit/amp-client.ts";
import { type HttpFrontend, startHttpFrontend } from "../../kit/http-frontend.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";
import { RawConnection, type RawResponse } from "../http/raw-http.ts";

const UNDECODABLE = '{"error":"cannot decode URL path"}';
const NO_MESSAGE = '{"error":"unsupported message version"}';
const NO_PROXY = '{"error":"no snowflake proxies currently available"}';

/** A message that no proxy is there for, with an SDP of so many bytes. */
function poll(length = 0): Uint8Array {
  const offer = JSON.stringify({ type: "offer", sdp: "v".repeat(length) });
  return Buffer.from(`1.0\n${JSON.stringify({ offer })}`);
}

let t: TestBroker;
let refused: string[];
let frontend: HttpFrontend;

beforeEach(() => {
  t = new TestBroker();
  refused = [];
  frontend = startHttpFrontend({
    broker: t.broker,
    refusals: { refused: (route, reason) => void refused.push(`${route} ${reason}`) },
  });
});

afterEach(async () => {
  await frontend[Symbol.asyncDispose]();
  expect(frontend.bugs).toEqual([]);
});

async function request(method: string, target: string, body = ""): Promise<RawResponse> {
  const connection = await RawConnection.open(frontend.port);
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  connection.send(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${length}\r\n${body}`);
  const response = await connection.response({ toHead: method === "HEAD" });
  connection.end();
  if (response === undefined) throw new Error("no response");
  return response;
}

const VALID = encodeAmpPath(poll());

describe("what is below /amp/client/", () => {
  test.each([
    ["", UNDECODABLE],
    ["0", UNDECODABLE],
    ["1/YWJj", UNDECODABLE],
    ["x/YWJj", UNDECODABLE],
    ["0/YWJjZ", UNDECODABLE],
    ["0/YQ==", UNDECODABLE],
    ["0/YW+x", UNDECODABLE],
    ["0/YW%20Jj", UNDECODABLE],
    ["0/YW%00Jj", UNDECODABLE],
    ["0/%ff%fe", UNDECODABLE],
    ["%30/YWJj", NO_MESSAGE],
    ["0/", NO_MESSAGE],
    ["0/YWJj", NO_MESSAGE],
    ["0/YW%0D%0AJj", NO_MESSAGE],
    ["0/YW%4aj", NO_MESSAGE],
    ["0%2FYWJj", NO_MESSAGE],
    ["0%2f%2fYWJj", NO_MESSAGE],
    ["0%ff/YWJj", NO_MESSAGE],
    ["0\u00e9/YWJj", NO_MESSAGE],
    ["0%252FYWJj", UNDECODABLE],
    [VALID, NO_PROXY],
    [`${VALID}?0/YWJj`, NO_PROXY],
    [VALID.replace("/", "/more/and/more/"), NO_PROXY],
    [VALID.replaceAll(/./g, (character) => `%${Buffer.from(character).toString("hex")}`), NO_PROXY],
  ])("if it is %s, gives %s", async (rest, response) => {
    const { statusLine, headers, body } = await request("GET", `/amp/client/${rest}`);
    expect(readAmpResponse(body)).toBe(response);
    expect([statusLine, ...headers].toSorted()).toEqual([
      "Access-Control-Allow-Headers: Origin, X-Session-ID",
      "Access-Control-Allow-Origin: *",
      "Cache-Control: max-age=15",
      `Content-Length: ${body.length}`,
      "Content-Type: text/html",
      "HTTP/1.1 200 OK",
    ]);
  });

  test("is the same below /%61mp/client/", async () => {
    const { body } = await request("GET", `/%61mp/%63lient/${VALID}`);
    expect(readAmpResponse(body)).toBe(NO_PROXY);
  });

  test("may be a legacy message, which is not one here", async () => {
    const rest = encodeAmpPath(Buffer.from('{"type":"offer","sdp":""}'));
    const { body } = await request("GET", `/amp/client/${rest}`);
    expect(readAmpResponse(body)).toBe(NO_MESSAGE);
  });

  test.each([100, 8_000, 11_500])("may be a message of %d bytes", async (length) => {
    const proxy = t.poll("a");
    const message = poll(length);
    const response = request("GET", `/amp/client/${encodeAmpPath(message)}`);
    await until(5_000, "client", () => proxy.outcome);
    expect(proxy.outcome).toMatchObject({
      kind: "matched",
      offer: writeDescription(JSON.stringify({ type: "offer", sdp: "v".repeat(length) })),
    });
    await t.answer("a", "v".repeat(50_000));
    expect(readAmpResponse((await response).body)).toBe(`{"answer":"${"v".repeat(50_000)}"}`);
  });

  test("is refused if the head is over 64 KiB with it", async () => {
    const { statusLine } = await request("GET", `/amp/client/${encodeAmpPath(poll(50_000))}`);
    expect(statusLine).toStartWith("HTTP/1.1 431 ");
  });

  test("is counted as a message that was refused if it is none", async () => {
    await request("GET", "/amp/client/1/YWJj");
    await request("GET", "/amp/client/0/YWJj");
    await settle();
    expect(refused).toEqual(["client broken", "client version"]);
    expect(t.events.words).toEqual([]);
  });
});

describe("a method", () => {
  test("HEAD gets the headers of GET", async () => {
    const get = await request("GET", "/amp/client/");
    const head = await request("HEAD", "/amp/client/");
    expect(get.headers).toContain("Content-Length: 1062");
    const lower = (lines: readonly string[]) => lines.map((line) => line.toLowerCase());
    expect(lower(head.headers)).toEqual(lower(get.headers));
    expect(head.body).toBe("");
  });

  test.each(["POST", "PUT", "DELETE"])("%s is served by its path alone", async (method) => {
    const message = Buffer.from(poll()).toString();
    const undecodable = await request(method, "/amp/client/", message);
    expect(readAmpResponse(undecodable.body)).toBe(UNDECODABLE);
    const decodable = await request(method, `/amp/client/${VALID}`, "1.1\nother");
    expect(readAmpResponse(decodable.body)).toBe(NO_PROXY);
  });

  test("OPTIONS is answered without looking", async () => {
    const { statusLine, headers, body } = await request("OPTIONS", `/amp/client/${VALID}`);
    expect([statusLine, ...headers].toSorted()).toEqual([
      "Access-Control-Allow-Headers: Origin, X-Session-ID",
      "Access-Control-Allow-Origin: *",
      "Content-Length: 0",
      "HTTP/1.1 200 OK",
    ]);
    expect(body).toBe("");
    expect(t.events.words).toEqual([]);
  });
});

describe("another path", () => {
  test.each([
    ["/amp/client", "/amp/client/"],
    ["/amp/client?a=b", "/amp/client/?a=b"],
    ["/%61mp/clien%74", "/amp/client/"],
    ["//amp//client", "/amp/client/"],
    ["/amp/client/0//YWJj", "/amp/client/0/YWJj"],
    ["/amp/client//?a", "/amp/client/?a"],
  ])("%s is moved to %s", async (path, location) => {
    for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
      const { statusLine, headers } = await request(method, path);
      expect(statusLine).toBe("HTTP/1.1 307 Temporary Redirect");
      expect(headers).toContain(`Location: ${location}`);
    }
  });

  test.each([
    "/amp",
    "/amp/",
    "/amp/clients/",
    "/amp%2Fclient/x",
    "/amp/client%2Fx",
    "/AMP/client/x",
  ])("%s is not found", async (path) => {
    expect((await request("GET", path)).statusLine).toBe("HTTP/1.1 404 Not Found");
  });

  test.each(["/amp/client/%zz", "/amp/client/0/YWJj%", "/amp/client/%4"])(
    "%s is none",
    async (path) => {
      expect((await request("GET", path)).statusLine).toBe("HTTP/1.1 400 Bad Request");
    },
  );
});
