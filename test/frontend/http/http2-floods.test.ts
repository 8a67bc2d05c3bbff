import { describe, expect, test } from "bun:test";

import { readMemory } from "../../../bench/process-usage.ts";
import { startTlsBroker } from "../../tls/tls-broker.ts";
import { isServed, pollOf, startTlsServer, streamOf, untilWaiting } from "./http2-server.ts";
import * as h2 from "./raw-http2.ts";
import { Http2Connection } from "./raw-http2.ts";

describe("a peer that does not read", () => {
  type Flood = readonly [name: string, next: (serial: number) => Buffer];
  const FLOODS: readonly Flood[] = [
    ["PING", h2.ping],
    ["SETTINGS", () => h2.frame(h2.SETTINGS, h2.NONE, 0)],
    ["GET", (serial) => h2.get(streamOf(serial))],
  ];
  test.each(FLOODS)("and sends %s without end is cut off", async (_, next) => {
    // A process of its own: this one's memory is also that of the sender.
    await using started = await startTlsBroker();
    const { broker, port } = started;
    using connection = await Http2Connection.open(port);
    const before = readMemory(broker.pid).residentKb;
    connection.stopReading();
    await connection.flood(5_000_000, next, 5_000);
    expect(connection.closed).toBe(true);
    expect(readMemory(broker.pid).residentKb - before).toBeLessThan(50_000);
    using fresh = await Http2Connection.open(port);
    fresh.send(h2.get(1));
    expect(await fresh.outcome(1)).toEqual({ status: 200 });
  });
});

describe("a flood of frames that ask for nothing is cut off, and others are served:", () => {
  type Flood = readonly [name: string, frame: Buffer];
  const FLOODS: readonly Flood[] = [
    ["PING", h2.ping()],
    ["SETTINGS", h2.frame(h2.SETTINGS, h2.NONE, 0)],
    ["PRIORITY", h2.frame(h2.PRIORITY, h2.NONE, 1, Buffer.alloc(5))],
    ["WINDOW_UPDATE", h2.frame(h2.WINDOW_UPDATE, h2.NONE, 0, h2.uint32(1))],
    ["of an unknown type", h2.frame(0x42, h2.NONE, 0, Buffer.alloc(8))],
  ];
  test.each(FLOODS)("%s", async (_, frame) => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    const flood = connection.flood(20_000, () => frame);
    expect(await isServed(served)).toBe(true);
    expect(await flood).toBeLessThan(20_000);
    expect(await connection.goAway()).toBe(h2.ENHANCE_YOUR_CALM);
    expect(await isServed(served)).toBe(true);
  });
});

describe("a connection error:", () => {
  type Wrong = readonly [name: string, frame: Buffer, error: number];
  const WRONG: readonly Wrong[] = [
    [
      "a frame that is too long",
      h2.frame(h2.PING, h2.NONE, 0, Buffer.alloc(16_385)),
      h2.FRAME_SIZE_ERROR,
    ],
    [
      "data on a stream that was never opened",
      h2.frame(h2.DATA, h2.END_STREAM, 13),
      h2.PROTOCOL_ERROR,
    ],
    ["a stream of the server's number", h2.get(2), h2.PROTOCOL_ERROR],
    ["a promise", h2.frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, Buffer.alloc(4)), h2.PROTOCOL_ERROR],
    [
      "a header list that is none",
      h2.frame(h2.HEADERS, h2.END_STREAM | h2.END_HEADERS, 13, Buffer.alloc(6, 0xff)),
      h2.COMPRESSION_ERROR,
    ],
    [
      "a window of more than 2 GiB",
      h2.frame(h2.WINDOW_UPDATE, h2.NONE, 0, h2.uint32(0x7f_ff_ff_ff)),
      h2.FLOW_CONTROL_ERROR,
    ],
    [
      "a setting out of bounds",
      h2.frame(h2.SETTINGS, h2.NONE, 0, h2.settings({ [h2.INITIAL_WINDOW_SIZE]: 0xff_ff_ff_ff })),
      h2.FLOW_CONTROL_ERROR,
    ],
    ["a CONTINUATION of nothing", h2.frame(h2.CONTINUATION, h2.NONE, 1), h2.PROTOCOL_ERROR],
  ];
  test.each(WRONG)("%s", async (_, frame, error) => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    connection.send(pollOf(0, 11));
    await untilWaiting(served, 1);
    connection.send(frame);
    expect(await connection.goAway()).toBe(error);
    await untilWaiting(served, 0);
    expect(await isServed(served)).toBe(true);
  });

  test("HTTP/1.1 where HTTP/2 was agreed on", async () => {
    await using served = startTlsServer();
    using connection = await Http2Connection.open(served.port);
    connection.send(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    expect(await connection.goAway()).toBe(h2.FRAME_SIZE_ERROR);
    expect(await isServed(served)).toBe(true);
  });
});
