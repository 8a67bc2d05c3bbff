import { describe, expect, test } from "bun:test";

import { MAX_STREAMS } from "../../../src/http/http2/stream-list.ts";
import {
  ACK,
  block,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  PADDED,
  ping,
  POST,
  PREFACE,
  PRIORITY,
  reset,
  settings,
  u32,
  windowUpdate,
} from "./frames.ts";
import { CUTS, Peer, replying } from "./peer.ts";

/** A frame of DATA with a length that is not allowed. */
const TOO_LONG = frame("DATA", 0, 1, Buffer.alloc(16_385));
const OPEN = headers(1, POST, 0);
const WAITING = headers(1, GET);

describe.each(CUTS)("%s", (_, cut) => {
  const greeted = () => Peer.greeted({ cut });

  test.each([
    ["no preface", [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
    ["a preface that breaks off", [PREFACE.subarray(0, 20), settings()]],
    ["no SETTINGS after the preface", [PREFACE, ping()]],
    ["an acknowledgement after the preface", [PREFACE, frame("SETTINGS", ACK, 0)]],
  ])("%s ends the connection", (_what, frames) => {
    const peer = new Peer({ cut });
    peer.take();
    peer.send(...frames);
    expect(peer.takeShort()).toEqual(["GOAWAY 0 PROTOCOL_ERROR"]);
    expect(peer.wire.finished).toBe(true);
  });

  const FAULTS: readonly (readonly [what: string, error: string, frames: readonly Buffer[]])[] = [
    ["a frame that is too long", "0 FRAME_SIZE_ERROR", [TOO_LONG]],
    [
      "an unknown frame that is too long",
      "0 FRAME_SIZE_ERROR",
      [frame(77, 0, 0, Buffer.alloc(16_385))],
    ],
    ["DATA on no stream", "0 PROTOCOL_ERROR", [data(0, "a")]],
    ["DATA on a stream to come", "0 PROTOCOL_ERROR", [data(1, "a")]],
    ["DATA with too much padding", "1 PROTOCOL_ERROR", [OPEN, frame("DATA", PADDED, 1, "\x02a")]],
    ["DATA with nothing but a flag", "1 PROTOCOL_ERROR", [OPEN, frame("DATA", PADDED, 1)]],
    ["HEADERS on no stream", "0 PROTOCOL_ERROR", [headers(0, GET)]],
    ["HEADERS on a stream of ours", "0 PROTOCOL_ERROR", [headers(2, GET)]],
    ["HEADERS on an older stream", "3 PROTOCOL_ERROR", [headers(3, GET), headers(1, GET)]],
    ["HEADERS on a stream that has ended", "1 STREAM_CLOSED", [WAITING, headers(1, GET)]],
    [
      "HEADERS with too much padding",
      "0 PROTOCOL_ERROR",
      [frame("HEADERS", PADDED | END_HEADERS, 1, "\x05abc")],
    ],
    [
      "HEADERS too short for its priority",
      "0 FRAME_SIZE_ERROR",
      [frame("HEADERS", PRIORITY | END_HEADERS, 1, "abcd")],
    ],
    [
      "a stream that depends on itself",
      "0 PROTOCOL_ERROR",
      [frame("HEADERS", PRIORITY | END_HEADERS, 1, Buffer.concat([u32(1), Buffer.of(1)]))],
    ],
    [
      "a block that can't be decoded",
      "0 COMPRESSION_ERROR",
      [frame("HEADERS", END_HEADERS, 1, [0x80])],
    ],
    ["another frame within a block", "0 PROTOCOL_ERROR", [frame("HEADERS", 0, 1), ping()]],
    [
      "CONTINUATION of another stream",
      "0 PROTOCOL_ERROR",
      [frame("HEADERS", 0, 1), frame("CONTINUATION", 0, 3)],
    ],
    ["CONTINUATION of nothing", "0 PROTOCOL_ERROR", [frame("CONTINUATION", END_HEADERS, 1)]],
    [
      "CONTINUATION after a block",
      "1 PROTOCOL_ERROR",
      [WAITING, frame("CONTINUATION", END_HEADERS, 1)],
    ],
    ["PRIORITY on no stream", "0 PROTOCOL_ERROR", [frame("PRIORITY", 0, 0, "abcde")]],
    ["PRIORITY of other length", "0 FRAME_SIZE_ERROR", [frame("PRIORITY", 0, 1, "abcd")]],
    ["RST_STREAM on no stream", "0 PROTOCOL_ERROR", [reset(0)]],
    ["RST_STREAM on a stream to come", "0 PROTOCOL_ERROR", [reset(1)]],
    [
      "RST_STREAM of other length",
      "1 FRAME_SIZE_ERROR",
      [WAITING, frame("RST_STREAM", 0, 1, "abc")],
    ],
    ["SETTINGS on a stream", "0 PROTOCOL_ERROR", [frame("SETTINGS", 0, 1)]],
    ["SETTINGS of other length", "0 FRAME_SIZE_ERROR", [frame("SETTINGS", 0, 0, "abcde")]],
    [
      "SETTINGS that acknowledge something",
      "0 FRAME_SIZE_ERROR",
      [frame("SETTINGS", ACK, 0, "abcdef")],
    ],
    ["a push setting that is no bit", "0 PROTOCOL_ERROR", [settings([2, 2])]],
    ["a window setting above the highest", "0 FLOW_CONTROL_ERROR", [settings([4, 2 ** 31])]],
    ["a frame size below the lowest", "0 PROTOCOL_ERROR", [settings([5, 16_383])]],
    ["a frame size above the highest", "0 PROTOCOL_ERROR", [settings([5, 2 ** 24])]],
    ["PUSH_PROMISE", "1 PROTOCOL_ERROR", [WAITING, frame("PUSH_PROMISE", END_HEADERS, 1, u32(2))]],
    ["PING on a stream", "0 PROTOCOL_ERROR", [frame("PING", 0, 1, "12345678")]],
    ["PING of other length", "0 FRAME_SIZE_ERROR", [frame("PING", 0, 0, "1234567")]],
    ["GOAWAY on a stream", "0 PROTOCOL_ERROR", [frame("GOAWAY", 0, 1, "12345678")]],
    ["GOAWAY that is too short", "0 FRAME_SIZE_ERROR", [frame("GOAWAY", 0, 0, "1234567")]],
    ["WINDOW_UPDATE of nothing", "0 PROTOCOL_ERROR", [windowUpdate(0, 0)]],
    ["WINDOW_UPDATE on a stream to come", "0 PROTOCOL_ERROR", [windowUpdate(1, 1)]],
    ["WINDOW_UPDATE of other length", "0 FRAME_SIZE_ERROR", [frame("WINDOW_UPDATE", 0, 0, "abc")]],
    ["a window above the highest", "0 FLOW_CONTROL_ERROR", [windowUpdate(0, 2 ** 31 - 1)]],
  ];
  test.each(FAULTS)("%s ends the connection", (_what, error, frames) => {
    const peer = greeted();
    const aborted: number[] = [];
    peer.send(...frames.slice(0, -1));
    for (const { exchange } of peer.seen) exchange.addEventListener("abort", () => aborted.push(1));
    peer.send(...frames.slice(-1), ping());
    expect(peer.takeShort().at(-1)).toBe(`GOAWAY ${error}`);
    expect(peer.wire.finished).toBe(true);
    expect(aborted).toHaveLength(peer.seen.length);
  });

  test.each([
    ["DATA after the end of a request", [WAITING, data(1, "a")], "1 RST_STREAM STREAM_CLOSED"],
    ["DATA after a reset", [OPEN, reset(1), data(1, "a")], "1 RST_STREAM STREAM_CLOSED"],
    [
      "a window of a stream that grows by nothing",
      [WAITING, windowUpdate(1, 0)],
      "1 RST_STREAM PROTOCOL_ERROR",
    ],
    [
      "a window of a stream above the highest",
      [WAITING, windowUpdate(1, 2 ** 31 - 1)],
      "1 RST_STREAM FLOW_CONTROL_ERROR",
    ],
  ])("%s ends the stream", (_what, frames, expected) => {
    const peer = greeted();
    peer.send(...frames);
    expect(peer.takeShort()).toEqual([expected]);
    expect(peer.seen.every(({ exchange }) => exchange.aborted)).toBe(true);
    expect(peer.isAlive).toBe(true);
  });

  test.each([
    ["frames of unknown types", [frame(77, 0xff, 9, "whatever")]],
    ["PRIORITY of any stream", [frame("PRIORITY", 0, 99, Buffer.concat([u32(1), Buffer.of(1)]))]],
    ["unknown settings", [settings([9, 9])]],
    ["GOAWAY", [frame("GOAWAY", 0, 0, Buffer.concat([u32(0), u32(0), Buffer.from("bye")]))]],
    ["RST_STREAM of what is closed", [WAITING, reset(1), reset(1)]],
    ["WINDOW_UPDATE of what is closed", [WAITING, reset(1), windowUpdate(1, 1)]],
    ["an answer to no PING", [ping("who asks", ACK)]],
    ["a reserved bit", [frame("PING", 0, 2 ** 31, "12345678")]],
    ["unknown flags", [frame("HEADERS", 0xd2 | END_HEADERS | END_STREAM, 1, block(GET))]],
  ])("%s are ignored", (_what, frames) => {
    const peer = greeted();
    peer.send(...frames);
    expect(peer.isAlive).toBe(true);
  });

  test("PING is answered with its data", () => {
    const peer = greeted();
    peer.send(ping("\0abcdef~"), ping("another."));
    expect(peer.takeShort().slice(1)).toEqual(["PING another. ack"]);
  });

  test("streams may be left out", () => {
    const peer = Peer.greeted({ cut, handler: replying(undefined) });
    peer.send(headers(7, GET), headers(101, GET));
    expect(peer.takeShort()).toEqual(["7 HEADERS 200 end", "101 HEADERS 200 end"]);
  });

  test("which streams we ended is remembered for as many as may be open", () => {
    const peer = greeted();
    for (let id = 1; id < 2 * MAX_STREAMS; id += 2)
      peer.send(headers(id, [...POST, ["a", "\n"]], 0));
    peer.take();
    peer.send(data(1, "x", 0));
    expect(peer.take()).toEqual([]);
    peer.send(headers(1001, [...POST, ["a", "\n"]], 0), data(1, "x", 0));
    expect(peer.takeShort().slice(1)).toEqual(["1 RST_STREAM STREAM_CLOSED"]);
  });

  test("what was under way when we ended a stream is dropped", () => {
    const peer = greeted();
    peer.send(headers(1, [...POST, ["a", "\n"]], 0));
    expect(peer.takeShort()).toEqual(["1 RST_STREAM PROTOCOL_ERROR"]);
    // The trailers go through the table all the same: `b: c` is its first entry then.
    const trailers = frame("HEADERS", END_HEADERS | END_STREAM, 1, [0x40, 1, 0x62, 1, 0x63]);
    peer.send(data(1, "more", 0), windowUpdate(1, 1), trailers);
    expect(peer.take()).toEqual([]);
    const head = Buffer.concat([block(GET), Buffer.of(0xbe)]);
    peer.send(frame("HEADERS", END_HEADERS | END_STREAM, 3, head));
    expect(peer.seen).toHaveLength(1);
    // And when the peer has ended it too, it is closed.
    peer.send(data(1, "more"));
    expect(peer.takeShort()).toEqual(["1 RST_STREAM STREAM_CLOSED"]);
  });
});

describe("a peer that goes before its reply", () => {
  test("is told of once, by a reset", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, GET), headers(3, GET));
    const calls: string[] = [];
    peer.seen[0]?.exchange.addEventListener("abort", () => calls.push("1"));
    peer.seen[1]?.exchange.addEventListener("abort", () => calls.push("3"));
    peer.send(reset(1));
    expect(calls).toEqual(["1"]);
    expect(peer.seen.map(({ exchange }) => exchange.aborted)).toEqual([true, false]);
    peer.seen[0]?.exchange.addEventListener("abort", () => calls.push("late"));
    peer.protocol.ended();
    expect(calls).toEqual(["1", "3"]);
    expect(peer.take()).toEqual([]);
  });

  test("isn't told of after the reply", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, GET));
    let calls = 0;
    peer.exchange.addEventListener("abort", () => calls++);
    peer.exchange.reply({ head: { status: 200, fields: [] }, body: undefined });
    peer.send(reset(1));
    peer.protocol.ended();
    expect([calls, peer.exchange.aborted]).toEqual([0, false]);
  });

  test("may be told of to somebody with a bug", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, GET), headers(3, GET));
    for (const { exchange } of peer.seen) {
      exchange.addEventListener("abort", () => {
        throw new Error("a bug");
      });
    }
    peer.protocol.ended();
    expect(peer.bugs).toHaveLength(2);
  });

  test("may be told of to somebody who then replies to another stream", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, GET), headers(3, GET));
    const other = peer.seen[1]?.exchange;
    peer.seen[0]?.exchange.addEventListener("abort", () => {
      other?.reply({ head: { status: 200, fields: [] }, body: "lucky" });
    });
    peer.send(reset(1));
    expect(peer.takeShort()).toEqual(["3 HEADERS 200", "3 DATA 5 end"]);
  });
});
