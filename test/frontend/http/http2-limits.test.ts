import { describe, expect, test } from "bun:test";

import { FIELD_TABLE_BYTES } from "../../../src/http/http2/hpack/field-table.ts";
import { BODY_BYTES, HEAD_BYTES } from "../../../src/http/limits.ts";
import type { TestServer } from "../../kit/test-server.ts";
import { isServed, poll, pollOf, startTlsServer, streamOf, untilWaiting } from "./http2-server.ts";
import * as h2 from "./raw-http2.ts";
import { Http2Connection } from "./raw-http2.ts";

/** As Go has it. */
const MAX_STREAMS = 250;
const MAX_FRAME = 16_384;

/** Milliseconds for a test that waits for time limits. */
const SLOW = 25_000;
const LIMITS = { head: 1_000, body: 1_000, unread: 1_000, request: 1_000 };

test("the limits are announced", async () => {
  await using served = startTlsServer();
  using connection = await Http2Connection.open(served.port);
  const announced = connection.frames.find(({ type }) => type === h2.SETTINGS)?.payload;
  expect(announced).toEqual(
    h2.settings({
      1: FIELD_TABLE_BYTES,
      2: 0,
      [h2.MAX_CONCURRENT_STREAMS]: MAX_STREAMS,
      // Room for the longest body.
      [h2.INITIAL_WINDOW_SIZE]: 128 * 1024,
      [h2.MAX_HEADER_LIST_SIZE]: HEAD_BYTES,
    }),
  );
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
    connection.send(...longRequest(h2.field("x", "y".repeat(HEAD_BYTES - 100))));
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
    connection.send(...longRequest(h2.field("x", "y".repeat(400_000))));
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
    const declared = openPost(1, "/client", length(BODY_BYTES));
    expect(await outcomeOf(served, declared, data(BODY_BYTES))).toEqual({ status: 200 });
    expect(await outcomeOf(served, openPost(1), data(BODY_BYTES))).toEqual({ status: 200 });
    expect(await isServed(served)).toBe(true);
  });

  test("that declares a byte more is refused", async () => {
    await using served = startTlsServer();
    const declared = openPost(1, "/client", length(BODY_BYTES + 1));
    expect(await outcomeOf(served, declared, data(BODY_BYTES + 1))).toEqual({ status: 400 });
    expect(await isServed(served)).toBe(true);
  });

  test("that is a byte longer is refused", async () => {
    await using served = startTlsServer();
    expect(await outcomeOf(served, openPost(1), data(BODY_BYTES + 1))).toEqual({ status: 400 });
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

  test.each([
    ["with a declared length", [length(1_000)]],
    ["without one", []],
  ])("that trickles, %s, is given up in time", async (_, fields) => {
    await using served = startTlsServer({ timeLimits: LIMITS });
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

  test("that stalls is given up in time, also with PINGs", async () => {
    await using served = startTlsServer({ timeLimits: LIMITS });
    using connection = await Http2Connection.open(served.port);
    connection.send(openPost(1));
    const ping = setInterval(() => connection.send(h2.ping()), 100);
    const outcome = await connection.outcome(1).finally(() => clearInterval(ping));
    expect(outcome).toEqual({ status: 400 });
  });
});

describe("a connection is closed in time", () => {
  test.concurrent(
    "if the end of a header list does not come",
    async () => {
      await using served = startTlsServer({ timeLimits: LIMITS });
      using connection = await Http2Connection.open(served.port);
      const start = h2.headerList("GET", "/robots.txt");
      connection.send(h2.frame(h2.HEADERS, h2.END_STREAM, 1, start));
      await connection.goAway(10_000);
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );

  test.concurrent(
    "if a window is never opened, also with PINGs",
    async () => {
      await using served = startTlsServer({ timeLimits: LIMITS });
      using connection = await Http2Connection.open(served.port, { [h2.INITIAL_WINDOW_SIZE]: 0 });
      connection.send(h2.get(1));
      expect(await connection.outcome(1)).toEqual({ status: 200 });
      const ping = setInterval(() => connection.send(h2.ping()), 500);
      // First the reply is given up, then the connection idles.
      await connection.goAway(10_000).finally(() => clearInterval(ping));
      expect(connection.frames.some(({ type }) => type === h2.DATA)).toBe(false);
      expect(connection.frames.filter(({ type }) => type === h2.RST_STREAM)).toHaveLength(1);
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );

  test.concurrent(
    "if nothing is asked",
    async () => {
      await using served = startTlsServer({ timeLimits: LIMITS });
      using connection = await Http2Connection.open(served.port);
      connection.send(h2.get(1));
      expect(await connection.outcome(1)).toEqual({ status: 200 });
      const ping = setInterval(() => connection.send(h2.ping()), 500);
      const error = await connection.goAway(10_000).finally(() => clearInterval(ping));
      expect(error).toBe(0);
    },
    SLOW,
  );
});
