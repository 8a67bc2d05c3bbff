import { describe, expect, test } from "bun:test";

import { BODY_LIMIT, readBody } from "../../../src/frontend/http/request-body.ts";
import type { Handler } from "../../../src/frontend/http/routes.ts";
import { BODY_TIMEOUT } from "../../../src/frontend/http/server.ts";
import { startTestServer, type TestServer } from "../../kit/test-server.ts";
import { isServed, poll, pollOf, startTlsServer, streamOf, untilWaiting } from "./http2-server.ts";
import * as h2 from "./raw-http2.ts";
import { Http2Connection } from "./raw-http2.ts";

/** What the runtime's server announces, or does; it has no options for them. */
const MAX_STREAMS = 256;
const MAX_HEADER_LIST = 16_384;
const MAX_FRAME = 16_384;
const STREAM_WINDOW = 65_536;
const CONNECTION_WINDOW = 16_777_216;

/** Milliseconds for a test that waits for an idle timeout of 8 s. */
const SLOW = 25_000;
const IDLE_BOUND = 13_000;

test("the limits are announced", async () => {
  await using served = startTlsServer();
  using connection = await Http2Connection.open(served.port);
  const announced = connection.frames.find(({ type }) => type === h2.SETTINGS)?.payload;
  expect(announced).toEqual(
    h2.settings({
      [h2.MAX_CONCURRENT_STREAMS]: MAX_STREAMS,
      [h2.INITIAL_WINDOW_SIZE]: STREAM_WINDOW,
      [h2.MAX_FRAME_SIZE]: MAX_FRAME,
      [h2.MAX_HEADER_LIST_SIZE]: MAX_HEADER_LIST,
    }),
  );
  const window = connection.frames.find(({ type }) => type === h2.WINDOW_UPDATE);
  // A connection's window begins with 65,535.
  expect(window).toMatchObject({ stream: 0, payload: h2.uint32(CONNECTION_WINDOW - 65_535) });
});

describe("streams", () => {
  test("more than allowed are refused, so that they can be asked for again", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    const asked = MAX_STREAMS + 44;
    for (let i = 0; i < asked; i++) connection.send(pollOf(i, streamOf(i)));
    await untilWaiting(served, MAX_STREAMS);
    for (let i = MAX_STREAMS; i < asked; i++) {
      expect(await connection.outcome(streamOf(i))).toEqual({ reset: h2.REFUSED_STREAM });
    }
    // Room for one.
    connection.send(h2.reset(1));
    await untilWaiting(served, MAX_STREAMS - 1);
    connection.send(pollOf(asked, streamOf(asked)));
    await untilWaiting(served, MAX_STREAMS);
    connection.end();
    await untilWaiting(served, 0);
    expect(await isServed(served)).toBe(true);
  });

  test("a poll whose stream is reset leaves its pool at once, and no other does", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    connection.send(pollOf(0, 1), pollOf(1, 3));
    await untilWaiting(served, 2);
    connection.send(h2.reset(1));
    await untilWaiting(served, 1);
    connection.send(h2.get(5));
    expect(await connection.outcome(5)).toEqual({ status: 200 });
    expect(served.broker.load.waitingProxies).toBe(1);
    connection.end();
    await untilWaiting(served, 0);
    expect(await isServed(served)).toBe(true);
  });

  type Rapid = readonly [name: string, request: (serial: number, stream: number) => Buffer];
  const RAPID: readonly Rapid[] = [
    ["requests that are answered at once", (_, stream) => h2.get(stream)],
    ["polls", pollOf],
    ["requests without their bodies", (_, stream) => openPost(stream)],
  ];
  test.each(RAPID)("rapid reset of %s ends the connection", async (_, request) => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    const sent = await connection.flood(20_000, (i) =>
      Buffer.concat([request(i, streamOf(i)), h2.reset(streamOf(i))]),
    );
    expect(sent).toBeLessThan(10_000);
    expect(await connection.goAway()).toBe(h2.ENHANCE_YOUR_CALM);
    await untilWaiting(served, 0);
    expect(await isServed(served)).toBe(true);
  });
});

/** A request whose body is still to come. */
function openPost(stream: number, path = "/client", ...fields: readonly Buffer[]): Buffer {
  return h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.headerList("POST", path, ...fields));
}

/** A request for /robots.txt in as many frames as its header list takes. */
function longRequest(...fields: readonly Buffer[]): Buffer[] {
  const list = h2.headerList("GET", "/robots.txt", ...fields);
  const frames: Buffer[] = [];
  for (let start = 0; start < list.length; start += MAX_FRAME) {
    const isLast = start + MAX_FRAME >= list.length;
    const type = start === 0 ? h2.HEADERS : h2.CONTINUATION;
    const flags = (start === 0 ? h2.END_STREAM : 0) | (isLast ? h2.END_HEADERS : 0);
    frames.push(h2.frame(type, flags, 1, list.subarray(start, start + MAX_FRAME)));
  }
  return frames;
}

describe("a header list", () => {
  test("within the limit is taken", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    connection.send(...longRequest(h2.field("x", "y".repeat(15_000))));
    expect(await connection.outcome(1)).toEqual({ status: 200 });
  });

  test("that is longer gets 431, and its connection serves on", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    connection.send(...longRequest(h2.field("x", "y".repeat(MAX_HEADER_LIST))));
    expect(await connection.outcome(1)).toEqual({ status: 431 });
    connection.send(h2.get(3));
    expect(await connection.outcome(3)).toEqual({ status: 200 });
  });

  test("of hundreds of fields gets 431", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    const fields = Array.from({ length: 300 }, (_, i) => h2.field(`x${i}`, ""));
    connection.send(...longRequest(...fields));
    expect(await connection.outcome(1)).toEqual({ status: 431 });
  });

  test("that is much longer ends the connection", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    connection.send(...longRequest(h2.field("x", "y".repeat(40_000))));
    expect(await connection.goAway()).toBe(h2.ENHANCE_YOUR_CALM);
    expect(await isServed(served)).toBe(true);
  });

  test("that is short and comes to 40 MB ends the connection", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    // A field that the server is to remember (its table holds 4,096 bytes), and then 10,000 times one byte for it.
    const remembered = Buffer.concat([
      Buffer.of(0x40),
      h2.hpackString("x"),
      h2.hpackString("y".repeat(4_000)),
    ]);
    connection.send(...longRequest(remembered, Buffer.alloc(10_000, 0x80 | 62)));
    expect(await connection.goAway()).toBe(h2.ENHANCE_YOUR_CALM);
    expect(await isServed(served)).toBe(true);
  });

  const CONTINUATIONS = [
    ["of fields", h2.field("x", "y".repeat(100))],
    ["of nothing", Buffer.alloc(0)],
  ] as const;
  test.each(CONTINUATIONS)("in CONTINUATION %s without end is cut off", async (_, payload) => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    const start = h2.headerList("GET", "/robots.txt");
    connection.send(h2.frame(h2.HEADERS, h2.END_STREAM, 1, start));
    const sent = await connection.flood(10_000, () =>
      h2.frame(h2.CONTINUATION, h2.NONE, 1, payload),
    );
    expect(sent).toBeLessThan(1_000);
    expect(await connection.goAway()).toBe(h2.ENHANCE_YOUR_CALM);
    expect(await isServed(served)).toBe(true);
  });
});

describe("a body", () => {
  const x = (length: number) => "x".repeat(length);
  const length = (bytes: number) => h2.field("content-length", String(bytes));
  /** DATA frames, of which the first closes nothing; the server's windows have to let them through. */
  const data = (bytes: number) => {
    const frames: Buffer[] = [];
    for (let left = bytes; left > 0; left -= 10_000) {
      const isLast = left <= 10_000;
      const payload = Buffer.from(x(Math.min(left, 10_000)));
      frames.push(h2.frame(h2.DATA, isLast ? h2.END_STREAM : h2.NONE, 1, payload));
    }
    return frames;
  };

  async function outcomeOf(served: TestServer, start: Buffer, frames: readonly Buffer[]) {
    using connection = await Http2Connection.open(served.port);
    connection.send(start);
    for (const next of frames) {
      connection.send(next);
      // Lets the server open its windows again.
      await Bun.sleep(2);
    }
    return await connection.outcome(1);
  }

  test("of the limit is read, with a declared length and without", async () => {
    await using served = startTlsServer();
    const declared = openPost(1, "/client", length(BODY_LIMIT));
    expect(await outcomeOf(served, declared, data(BODY_LIMIT))).toEqual({ status: 200 });
    expect(await outcomeOf(served, openPost(1), data(BODY_LIMIT))).toEqual({ status: 200 });
    expect(await isServed(served)).toBe(true);
  });

  test("that declares a byte more is refused unread", async () => {
    await using served = startTlsServer();
    const declared = openPost(1, "/client", length(BODY_LIMIT + 1));
    expect(await outcomeOf(served, declared, [])).toEqual({ status: 400 });
    expect(await isServed(served)).toBe(true);
  });

  test("that is a byte longer is refused", async () => {
    await using served = startTlsServer();
    expect(await outcomeOf(served, openPost(1), data(BODY_LIMIT + 1))).toEqual({ status: 400 });
    expect(await isServed(served)).toBe(true);
  });

  test.each([
    ["shorter", 1_000],
    ["longer", 10],
  ])("that is %s than declared is an error, and its poll is none", async (_, declared) => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    connection.send(h2.post(1, "/proxy", poll("s"), length(declared)));
    expect(await connection.outcome(1)).toEqual({ reset: h2.PROTOCOL_ERROR });
    expect(served.broker.load.waitingProxies).toBe(0);
    expect(await isServed(served)).toBe(true);
  });

  test("has a limit of time of its own with TLS, and the server's without", async () => {
    const handler: Handler = (_, { bodyTimeout }) => new Response(String(bodyTimeout));
    await using tls = startTlsServer({ handler });
    using connection = await Http2Connection.open(tls.port);
    connection.send(h2.get(1, "/"));
    expect(await connection.outcome(1)).toEqual({ status: 200 });
    const body = () => connection.frames.find(({ type }) => type === h2.DATA)?.payload.toString();
    await connection.until("body", () => body() !== undefined);
    expect(body()).toBe(String(BODY_TIMEOUT));
    await using plain = startTestServer({ handler });
    expect(await fetch(plain.server.url).then((r) => r.text())).toBe("undefined");
  });

  test.each([
    ["with a declared length", [length(1_000)]],
    ["without one", []],
  ])("that trickles, %s, is given up in time", async (_, fields) => {
    // What the runtime does not do: with HTTP/2, every byte of the body puts off the idle timeout.
    await using served = startTlsServer({
      handler: async (request) => {
        const body = await readBody(request, 200);
        return new Response(null, { status: body === "broken" ? 400 : 200 });
      },
    });
    using connection = await Http2Connection.open(served.port);
    connection.send(openPost(1, "/client", ...fields));
    const byte = h2.frame(h2.DATA, h2.NONE, 1, Buffer.from("x"));
    const trickle = setInterval(() => connection.send(byte), 20);
    const outcome = await connection.outcome(1).finally(() => clearInterval(trickle));
    expect(outcome).toEqual({ status: 400 });
    await connection.until("reset of the stream", () =>
      connection.frames.some(({ type, stream }) => type === h2.RST_STREAM && stream === 1),
    );
  });
});

describe("what the idle timeout cuts off:", () => {
  test.concurrent(
    "a header list whose end does not come",
    async () => {
      await using served = startTlsServer({ idleTimeout: 8 });
      using connection = await Http2Connection.open(served.port);
      const start = h2.headerList("GET", "/robots.txt");
      connection.send(h2.frame(h2.HEADERS, h2.END_STREAM, 1, start));
      await connection.goAway(IDLE_BOUND);
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );

  test.concurrent(
    "a body that stalls, also with PINGs",
    async () => {
      await using served = startTlsServer({ idleTimeout: 8 });
      using connection = await Http2Connection.open(served.port);
      connection.send(openPost(1));
      const ping = setInterval(() => connection.send(h2.ping()), 500);
      await connection.goAway(IDLE_BOUND).finally(() => clearInterval(ping));
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );

  test.concurrent(
    "a window that is never opened, also with PINGs",
    async () => {
      await using served = startTlsServer({ idleTimeout: 8 });
      using connection = await Http2Connection.open(served.port, { [h2.INITIAL_WINDOW_SIZE]: 0 });
      connection.send(h2.get(1));
      expect(await connection.outcome(1)).toEqual({ status: 200 });
      const ping = setInterval(() => connection.send(h2.ping()), 500);
      await connection.goAway(IDLE_BOUND).finally(() => clearInterval(ping));
      expect(connection.frames.some(({ type }) => type === h2.DATA)).toBe(false);
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );
});
