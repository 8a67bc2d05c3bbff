import { describe, expect, test } from "bun:test";

import { ACK, data, GET, headers, ping, POST, PREFACE, settings, windowUpdate } from "./frames.ts";
import { CUTS, OK, Peer } from "./peer.ts";

const answered = { head: OK, body: undefined };

describe.each(CUTS)("retiring, frames that come %s", (_, cut) => {
  test("takes two steps, and serves what was asked before the second", () => {
    const peer = Peer.greeted({ cut });
    peer.send(headers(1, GET));
    peer.protocol.retire();
    peer.protocol.retire();
    expect(peer.takeShort()).toEqual(["GOAWAY 2147483647 NO_ERROR", "PING leaving?"]);
    peer.send(headers(3, POST, 0), ping("leaving?", ACK));
    expect(peer.takeShort()).toEqual(["GOAWAY 3 NO_ERROR"]);
    peer.send(ping("leaving?", ACK));
    expect(peer.takeShort()).toEqual([]);
    // The peer had not read that yet.
    peer.send(headers(5, POST, 0), data(5, "x", 0), data(5, "y"));
    expect(peer.takeShort()).toEqual([]);
    peer.send(data(3, "body"));
    expect(peer.seen.map(({ body }) => body)).toEqual(["", "body"]);
    for (const { exchange } of peer.seen) exchange.reply(answered);
    expect(peer.takeShort()).toEqual(["1 HEADERS 200 end", "3 HEADERS 200 end"]);
    expect(peer.wire.finished).toBe(true);
  });

  test("ends an idle connection with the answer to the ping, and no other", () => {
    const peer = Peer.greeted({ cut });
    peer.send(ping("leaving?", ACK));
    peer.protocol.retire();
    peer.send(ping("somebody", ACK), ping("leaving?"));
    expect(peer.wire.finished).toBe(false);
    peer.send(ping("leaving?", ACK));
    expect(peer.takeShort().at(-1)).toBe("GOAWAY 0 NO_ERROR");
    peer.protocol.drained();
    expect(peer.wire.finishes).toBe(1);
  });

  test("can come before the preface", () => {
    const peer = new Peer({ cut });
    peer.protocol.retire();
    peer.send(PREFACE, settings(), headers(1, GET), ping("leaving?", ACK));
    peer.exchange.reply(answered);
    expect(peer.takeShort().slice(-2)).toEqual(["GOAWAY 1 NO_ERROR", "1 HEADERS 200 end"]);
    expect(peer.wire.finished).toBe(true);
  });
});

describe("a peer that sends no more", () => {
  test("has gone, for those who want to know; the others are answered", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, GET), headers(3, GET), headers(5, POST, 0), data(5, "x", 0));
    const [first, second] = peer.seen;
    let calls = 0;
    first?.exchange.addEventListener("abort", () => calls++);
    peer.protocol.receivedEnd();
    expect(calls).toBe(1);
    expect(peer.seen.map(({ body, exchange }) => [body, exchange.aborted])).toEqual([
      ["", true],
      ["", false],
      ["(broken)", false],
    ]);
    first?.exchange.reply(answered);
    second?.exchange.reply(answered);
    expect(peer.wire.finished).toBe(false);
    peer.seen[2]?.exchange.reply(answered);
    expect(peer.takeShort()).toEqual([
      "3 HEADERS 200 end",
      "5 HEADERS 200 end",
      "5 RST_STREAM NO_ERROR",
    ]);
    expect(peer.wire.finished).toBe(true);
  });

  test("ends an idle connection", () => {
    const peer = Peer.greeted();
    peer.protocol.receivedEnd();
    expect(peer.wire.finished).toBe(true);
  });

  test("opens no windows: what needs more is given up, what only waits for the wire isn't", () => {
    const peer = Peer.greeted();
    peer.send(settings([4, 3]), headers(1, GET), headers(3, GET), headers(5, GET));
    peer.send(windowUpdate(3, 20_000));
    const body = "x".repeat(50);
    peer.seen[0]?.exchange.reply({ head: OK, body });
    expect(peer.takeShort().at(-1)).toBe("1 DATA 3");
    peer.wire.unsent = 1;
    peer.seen[1]?.exchange.reply({ head: OK, body: "x".repeat(20_003) });
    // The reply is on its way, so nobody hears of the end.
    let calls = 0;
    peer.seen[1]?.exchange.addEventListener("abort", () => calls++);
    peer.protocol.receivedEnd();
    expect(calls).toBe(0);
    peer.take();
    peer.wire.unsent = 0;
    peer.protocol.drained();
    expect(peer.takeShort()).toEqual(["3 DATA 16384", "3 DATA 3619 end"]);
    expect(peer.wire.finished).toBe(false);
    peer.seen[2]?.exchange.reply({ head: OK, body });
    expect(peer.takeShort()).toEqual(["5 HEADERS 200", "5 DATA 3"]);
    expect(peer.wire.finished).toBe(true);
  });
});

test("after its end a connection does nothing", () => {
  const peer = Peer.greeted();
  peer.send(headers(1, GET));
  peer.protocol.timedOut("request");
  peer.take();
  const awaited = peer.wire.awaited.length;
  const { protocol } = peer;
  protocol.receive(headers(3, GET));
  protocol.receivedEnd();
  protocol.drained();
  protocol.timedOut("body");
  protocol.retire();
  peer.exchange.reply({ head: OK, body: "late" });
  peer.exchange.fail(new Error("late"));
  protocol.ended();
  expect(peer.take()).toEqual([]);
  expect(peer.seen).toHaveLength(1);
  expect(peer.wire.awaited).toHaveLength(awaited);
  expect(peer.bugs).toHaveLength(1);
});

test("the end of the connection lets go of all bodies", () => {
  const peer = Peer.greeted();
  peer.send(headers(1, GET), headers(3, GET), settings([4, 0]));
  const closed: string[] = [];
  const body = (name: string) => ({
    length: 3,
    read: () => Promise.reject(new Error("unread")),
    close: () => void closed.push(name),
  });
  peer.seen[0]?.exchange.reply({ head: OK, body: body("waiting") });
  peer.protocol.ended();
  peer.seen[1]?.exchange.reply({ head: OK, body: body("late") });
  expect(closed).toEqual(["waiting", "late"]);
});
