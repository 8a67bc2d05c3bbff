import { describe, expect, test } from "bun:test";

import {
  data,
  type Frame,
  frame,
  GET,
  headers,
  PADDED,
  POST,
  reset,
  settings,
  windowUpdate,
} from "./frames.ts";
import { CUTS, OK, Peer, replying, short } from "./peer.ts";

function bodyBytes(frames: readonly Frame[]): number {
  return frames.reduce((sum, { type, payload }) => sum + (type === "DATA" ? payload.length : 0), 0);
}

describe.each(CUTS)("replies, frames that come %s", (_, cut) => {
  test("a peer that opens no window gets a head, and the body as it opens one", () => {
    const peer = Peer.greeted({ cut, handler: replying("hello") });
    peer.send(settings([4, 0]), headers(1, GET));
    expect(peer.takeShort()).toEqual(["SETTINGS ack", "1 HEADERS 200"]);
    expect(peer.wire.held).toBe(5);
    peer.send(windowUpdate(1, 1));
    peer.send(windowUpdate(1, 3));
    expect(peer.takeShort()).toEqual(["1 DATA 1", "1 DATA 3"]);
    peer.send(settings([4, 1]));
    expect(peer.takeShort()).toEqual(["SETTINGS ack", "1 DATA 1 end"]);
    expect(peer.wire.held).toBe(0);
  });

  test("a stream without window holds up no other", () => {
    const peer = Peer.greeted({ cut, handler: replying("hello") });
    peer.send(settings([4, 0]), headers(1, GET), settings([4, 5]), headers(3, GET));
    expect(peer.takeShort()).toContain("3 DATA 5 end");
    peer.send(settings([4, 0]), headers(5, GET), headers(7, GET), windowUpdate(7, 5));
    const frames = peer.takeShort();
    expect(frames).toContain("7 DATA 5 end");
    expect(frames).not.toContain("5 DATA 5 end");
  });

  test("a window that settings make smaller than nothing has to be filled up first", () => {
    const peer = Peer.greeted({ cut });
    peer.send(settings([4, 10]), headers(1, GET));
    peer.exchange.reply({ head: OK, body: "x".repeat(20) });
    peer.send(settings([4, 3]), windowUpdate(1, 7));
    expect(bodyBytes(peer.take())).toBe(10);
    peer.send(windowUpdate(1, 1));
    expect(peer.takeShort()).toEqual(["1 DATA 1"]);
  });

  test("the connection's window holds for all streams, and each gets its part", () => {
    const peer = Peer.greeted({ cut, handler: replying("x".repeat(50_000)) });
    peer.send(settings([4, 1_000_000]), headers(1, GET), headers(3, GET), headers(5, GET));
    expect(bodyBytes(peer.take())).toBe(65_535);
    peer.send(windowUpdate(0, 40_000));
    const frames = peer.take().filter(({ type }) => type === "DATA");
    expect(bodyBytes(frames)).toBe(40_000);
    expect(new Set(frames.map(({ stream }) => stream))).toEqual(new Set([3, 5]));
    peer.send(reset(3), windowUpdate(0, 100_000));
    expect(peer.takeShort().at(-1)).toMatch(/^5 DATA \d+ end$/);
    expect(peer.wire.held).toBe(0);
  });

  test("those that wait take turns, however narrow the window", () => {
    const peer = Peer.greeted({ cut, handler: replying("x".repeat(70_000)) });
    peer.send(settings([4, 1_000_000]), headers(1, GET), headers(3, GET), headers(5, GET));
    peer.take();
    const streams: number[] = [];
    for (let sent = 0; sent < 9; sent++) {
      peer.send(windowUpdate(0, 1000));
      streams.push(...peer.take().map(({ stream }) => stream));
    }
    expect(streams.toSorted((a, b) => a - b)).toEqual([1, 1, 1, 3, 3, 3, 5, 5, 5]);
  });

  test("no frame is longer than 16,384 bytes", () => {
    const peer = Peer.greeted({ cut, handler: replying(Buffer.alloc(40_000)) });
    peer.send(settings([5, 1_000_000]), headers(1, GET));
    const frames = peer.takeShort();
    expect(frames.slice(2)).toEqual(["1 DATA 16384", "1 DATA 16384", "1 DATA 7232 end"]);
  });

  test("settings may not push a window above the highest", () => {
    const peer = Peer.greeted({ cut });
    peer.send(headers(1, GET), windowUpdate(1, 2 ** 31 - 1 - 65_535));
    expect(peer.isAlive).toBe(true);
    peer.send(settings([4, 65_536]));
    expect(peer.takeShort().at(-1)).toBe("GOAWAY 1 FLOW_CONTROL_ERROR");
  });
});

test("bodies wait for a peer that doesn't read, heads and short bodies don't", () => {
  const peer = Peer.greeted({ handler: replying("x".repeat(20_000)) });
  peer.wire.unsent = 1;
  peer.send(headers(1, GET));
  expect(peer.takeShort()).toEqual(["1 HEADERS 200"]);
  peer.wire.unsent = 0;
  peer.protocol.drained();
  expect(peer.takeShort()).toEqual(["1 DATA 16384", "1 DATA 3616 end"]);
});

describe("requests", () => {
  test("the window is given back when half of it is used, for streams and for all", () => {
    const peer = Peer.greeted();
    const piece = Buffer.alloc(16_000);
    const updates: string[] = [];
    for (let stream = 1; stream < 20; stream += 2) {
      peer.send(headers(stream, POST, 0));
      for (let sent = 0; sent < 96_000; sent += piece.length) {
        peer.send(data(stream, piece, 0));
        updates.push(...peer.takeShort());
      }
      peer.send(data(stream, ""));
    }
    const ofStreams = updates.filter((update) => !update.startsWith("WINDOW"));
    expect(ofStreams).toEqual(
      [1, 3, 5, 7, 9, 11, 13, 15, 17, 19].map((stream) => `${stream} WINDOW_UPDATE 80000`),
    );
    expect(updates.filter((update) => update.startsWith("WINDOW"))).toEqual([
      "WINDOW_UPDATE 528000",
    ]);
    expect(peer.seen).toHaveLength(10);
  });

  test("no more is given for a body that is too long, or complete", () => {
    const peer = Peer.greeted();
    const piece = Buffer.alloc(16_000);
    peer.send(headers(1, POST, 0));
    for (let sent = 0; sent < 128_000; sent += piece.length) peer.send(data(1, piece, 0));
    peer.send(headers(3, POST, 0));
    for (let sent = 0; sent < 64_000; sent += piece.length) peer.send(data(3, piece, 0));
    peer.send(data(3, piece));
    expect(peer.takeShort()).toEqual(["1 WINDOW_UPDATE 80000"]);
  });

  test("padding counts", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, POST, 0));
    const padded = frame("DATA", PADDED, 1, Buffer.concat([Buffer.of(255, 1), Buffer.alloc(255)]));
    for (let sent = 0; sent < 300; sent++) peer.send(padded);
    expect(peer.takeShort()).toEqual(["1 WINDOW_UPDATE 65792"]);
  });

  test("what comes on closed streams is given back to the others", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, [...POST, ["a", "\n"]], 0));
    peer.take();
    for (let sent = 0; sent < 33; sent++) peer.send(data(1, Buffer.alloc(16_000), 0));
    expect(peer.take().map(short)).toEqual(["WINDOW_UPDATE 528000"]);
  });
});
