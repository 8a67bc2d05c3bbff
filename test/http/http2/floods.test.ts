import { describe, expect, test } from "bun:test";

import { ALLOWANCES, Allowances, type Allowed } from "../../../src/http/http2/allowances.ts";
import { CONTINUATIONS } from "../../../src/http/http2/head-reader.ts";
import { MAX_STREAMS } from "../../../src/http/http2/stream-list.ts";
import { type Bound, HEAD_BYTES } from "../../../src/http/limits.ts";
import {
  ACK,
  block,
  data,
  END_HEADERS,
  END_STREAM,
  type FieldList,
  frame,
  GET,
  headers,
  integer,
  PADDED,
  ping,
  POST,
  reset,
  settings,
  u32,
  windowUpdate,
} from "./frames.ts";
import { OK, Peer, replying } from "./peer.ts";

/** The id of the request with this number. */
const id = (request: number) => 2 * request + 1;
const MALFORMED: FieldList = [...GET, ["connection", "close"]];

interface Flood {
  readonly bound: Allowed;
  /** Sent first. */
  readonly before?: readonly Buffer[];
  /** What is sent the so manieth time. */
  readonly send: (time: number) => readonly Buffer[];
}

const FLOODS: Readonly<Record<string, Flood>> = {
  "rapid reset": {
    bound: "h2-resets",
    send: (time) => [headers(id(time), GET), reset(id(time))],
  },
  "resets of bodies": {
    bound: "h2-resets",
    send: (time) => [headers(id(time), POST, 0), reset(id(time))],
  },
  "malformed requests": {
    bound: "h2-resets",
    send: (time) => [headers(id(time), MALFORMED)],
  },
  "DATA on closed streams": {
    bound: "h2-resets",
    send: (time) => [headers(id(time), GET), data(id(time), "a")],
  },
  "windows of streams that grow by nothing": {
    bound: "h2-resets",
    send: (time) => [headers(id(time), GET), windowUpdate(id(time), 0)],
  },
  SETTINGS: { bound: "h2-control-frames", send: () => [settings([4, 1])] },
  "SETTINGS acknowledged": {
    bound: "h2-control-frames",
    send: () => [frame("SETTINGS", ACK, 0)],
  },
  PING: { bound: "h2-control-frames", send: () => [ping()] },
  PRIORITY: {
    bound: "h2-control-frames",
    send: (time) => [frame("PRIORITY", 0, id(time), Buffer.concat([u32(0), Buffer.of(1)]))],
  },
  GOAWAY: {
    bound: "h2-control-frames",
    send: () => [frame("GOAWAY", 0, 0, Buffer.alloc(8))],
  },
  "unknown frames": { bound: "h2-control-frames", send: () => [frame(200, 0, 0)] },
  "tiny windows": { bound: "h2-control-frames", send: () => [windowUpdate(0, 1)] },
  "tiny windows of a stream": {
    bound: "h2-control-frames",
    before: [settings([4, 0]), headers(1, GET)],
    send: () => [windowUpdate(1, 1)],
  },
  "resets of closed streams": {
    bound: "h2-control-frames",
    before: [headers(1, MALFORMED)],
    send: () => [reset(1)],
  },
  "empty DATA": {
    bound: "h2-empty-frames",
    before: [headers(1, POST, 0)],
    send: () => [data(1, "", 0)],
  },
  "DATA of padding": {
    bound: "h2-empty-frames",
    before: [headers(1, POST, 0)],
    send: () => [frame("DATA", PADDED, 1, "\x03\0\0\0")],
  },
};

/** Those that have room for honest peers: what every answered request brings back is not used up by them. */
describe.each(Object.entries(FLOODS))("%s", (_, { bound, before = [], send }) => {
  const { most, perReply } = ALLOWANCES[bound];

  test("ends the connection, at its bound", () => {
    const peer = Peer.greeted();
    peer.send(...before);
    let times = 0;
    // The greeting and what came before took a few.
    while (!peer.wire.finished && times <= most) peer.send(...send(times++));
    expect(times).toBeGreaterThan(most - 4);
    expect(peer.wire.finished).toBe(true);
    expect(peer.wire.bounds).toEqual([bound]);
    expect(peer.takeShort().at(-1)).toMatch(/^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
    expect(peer.seen.every(({ exchange }) => exchange.aborted)).toBe(true);
  });

  if (before.length > 0) return;
  test("is no flood if requests are answered as well", () => {
    const peer = Peer.greeted();
    let requests = 0;
    for (let round = 0; round * perReply < 3 * most; round++) {
      for (let time = 0; time < perReply; time++) peer.send(...send(requests++));
      peer.send(headers(id(requests++), GET));
      peer.exchange.reply({ head: OK, body: undefined });
      peer.take();
    }
    expect(peer.wire.bounds).toEqual([]);
    expect(peer.wire.finished).toBe(false);
  });
});

function expectCalmed(peer: Peer, bound: Bound): void {
  expect(peer.wire.bounds).toEqual([bound]);
  expect(peer.takeShort().at(-1)).toMatch(/^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
  expect(peer.wire.finished).toBe(true);
}

describe("a block", () => {
  test("of too many frames", () => {
    const peer = Peer.greeted();
    peer.send(frame("HEADERS", END_STREAM, 1, block(GET)));
    for (let sent = 0; sent < CONTINUATIONS; sent++) peer.send(frame("CONTINUATION", 0, 1));
    expect(peer.wire.finished).toBe(false);
    peer.send(frame("CONTINUATION", END_HEADERS, 1));
    expectCalmed(peer, "h2-continuations");
  });

  test("that is longer than any head, before it is decoded", () => {
    const peer = Peer.greeted();
    peer.send(frame("HEADERS", END_STREAM, 1, block(GET)));
    const piece = Buffer.alloc(16_384);
    for (let sent = 0; sent < HEAD_BYTES; sent += piece.length) {
      peer.send(frame("CONTINUATION", 0, 1, piece));
    }
    expectCalmed(peer, "h2-header-list");
    expect(peer.wire.mostHeld).toBeLessThanOrEqual(2 * HEAD_BYTES);
  });

  test("that grows when it is decoded", () => {
    const peer = Peer.greeted();
    const long = Buffer.from([0x40, 1, 0x61, ...integer(4000, 7)]);
    const bomb = Buffer.concat([
      block(GET),
      long,
      Buffer.alloc(4000, "b"),
      Buffer.alloc(100, 0xbe),
    ]);
    peer.send(frame("HEADERS", END_STREAM | END_HEADERS, 1, bomb));
    expectCalmed(peer, "h2-header-list");
  });

  test("of trailers that grows", () => {
    const peer = Peer.greeted();
    const long = Buffer.from([0x40, 1, 0x61, ...integer(4000, 7)]);
    const bomb = Buffer.concat([long, Buffer.alloc(4000, "b"), Buffer.alloc(100, 0xbe)]);
    peer.send(headers(1, POST, 0), frame("HEADERS", END_STREAM | END_HEADERS, 1, bomb));
    expectCalmed(peer, "h2-header-list");
    expect(peer.seen).toEqual([]);
  });
});

test("more streams than allowed are refused, and the others live on", () => {
  const peer = Peer.greeted();
  for (let request = 0; request <= MAX_STREAMS; request++) peer.send(headers(id(request), GET));
  expect(peer.takeShort()).toEqual([`${id(MAX_STREAMS)} RST_STREAM REFUSED_STREAM`]);
  expect(peer.wire.bounds).toEqual(["h2-streams"]);
  expect(peer.seen).toHaveLength(MAX_STREAMS);
  peer.seen[7]?.exchange.reply({ head: OK, body: undefined });
  peer.send(headers(id(MAX_STREAMS + 1), GET));
  expect(peer.seen).toHaveLength(MAX_STREAMS + 1);
  for (const { exchange } of peer.seen) exchange.reply({ head: OK, body: undefined });
  expect(peer.take()).toHaveLength(MAX_STREAMS + 1);
});

test("the bodies of one connection are held up to a bound", () => {
  const peer = Peer.greeted();
  for (let request = 0; request < 60 && !peer.wire.finished; request++) {
    peer.send(headers(id(request), POST, 0));
    for (let sent = 0; sent < 96_000; sent += 16_000) {
      peer.send(data(id(request), Buffer.alloc(16_000), 0));
    }
  }
  expectCalmed(peer, "held-bytes");
  expect(peer.wire.mostHeld).toBeLessThanOrEqual(4_000_000);
});

test("if all connections hold too much, this one gives up what it holds", () => {
  const peer = Peer.greeted();
  peer.wire.holdLimit = 20_000;
  peer.send(headers(1, GET), headers(3, POST, 0), data(3, Buffer.alloc(16_000), 0));
  expect(peer.wire.finished).toBe(false);
  peer.send(data(3, Buffer.alloc(16_000), 0));
  expect(peer.takeShort()).toEqual(["GOAWAY 3 ENHANCE_YOUR_CALM"]);
  expect(peer.seen.map(({ exchange }) => exchange.aborted)).toEqual([true]);
  // The connection counts it.
  expect(peer.wire.bounds).toEqual([]);
});

test("heads whose bodies don't come are held as well", () => {
  const peer = Peer.greeted();
  peer.send(headers(1, [...POST.slice(0, 2), [":path", `/${"p".repeat(10_000)}`]], 0));
  expect(peer.wire.held).toBeGreaterThan(10_000);
});

test("a peer that takes a long reply in small pieces is no flood", () => {
  const peer = Peer.greeted({ handler: replying(Buffer.alloc(3_000_000)) });
  peer.send(settings([4, 0]), headers(1, GET));
  for (let sent = 0; sent < 3_000_000; sent += 1024) {
    peer.send(windowUpdate(0, 1024), windowUpdate(1, 1024));
  }
  expect(peer.takeShort().at(-1)).toEndWith("end");
});

test("bytes of replies give back control frames, however small the frames that bring them", () => {
  const allowances = new Allowances();
  while (allowances.spend("h2-control-frames"));
  for (let sent = 0; sent < 100; sent++) allowances.sent(100);
  let given = 0;
  while (allowances.spend("h2-control-frames")) given++;
  // A WINDOW_UPDATE of the stream and one of the connection with every 512 bytes, less those that were too many.
  expect(given).toBeGreaterThanOrEqual(Math.floor((2 * 10_000) / 512) - 2);
});

test("a frame whose header promises much holds little", () => {
  const peer = Peer.greeted();
  peer.send(headers(1, POST, 0), data(1, Buffer.alloc(16_000)).subarray(0, 20));
  expect(peer.wire.held).toBeLessThan(500);
});
