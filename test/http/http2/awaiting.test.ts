import { describe, expect, test } from "bun:test";

import type { Awaited } from "../../../src/http/wire.ts";
import {
  block,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  ping,
  POST,
  PREFACE,
  reset,
  settings,
  windowUpdate,
} from "./frames.ts";
import { OK, Peer, replying } from "./peer.ts";

/** What is said to be awaited from now on. */
function awaitedFrom(peer: Peer): () => Awaited[] {
  let from = peer.wire.awaited.length;
  return () => {
    const news = peer.wire.awaited.slice(from);
    from = peer.wire.awaited.length;
    return news;
  };
}

function greeted(...options: Parameters<typeof Peer.greeted>) {
  const peer = Peer.greeted(...options);
  return { peer, news: awaitedFrom(peer) };
}

test("the greeting is awaited as a head, and its bytes renew no time", () => {
  const peer = new Peer();
  for (const byte of [...PREFACE, ...settings()]) {
    expect(peer.wire.awaited).toEqual(["head"]);
    peer.send(Buffer.of(byte));
  }
  expect(peer.wire.awaited).toEqual(["head", "request"]);
});

test("a reply, then the next request", () => {
  const { peer, news } = greeted();
  peer.send(headers(1, GET));
  expect(news()).toEqual(["reply"]);
  peer.send(headers(3, GET), ping());
  peer.seen[0]?.exchange.reply({ head: OK, body: "a" });
  expect(news()).toEqual([]);
  peer.seen[1]?.exchange.reply({ head: OK, body: "b" });
  expect(news()).toEqual(["request"]);
});

test("the next request, when the peer has given up the last", () => {
  const { peer, news } = greeted();
  peer.send(headers(1, GET));
  peer.send(reset(1));
  peer.send(headers(3, POST, 0));
  peer.send(reset(3));
  expect(news()).toEqual(["reply", "request", "body", "request"]);
});

test("every request that is answered at once starts the time of the next, and nothing else does", () => {
  const { peer, news } = greeted({ handler: replying("a") });
  peer.send(headers(1, GET));
  expect(news()).toEqual(["request"]);
  peer.send(headers(3, GET), headers(5, GET));
  expect(news()).toEqual(["request"]);
  peer.send(ping(), settings(), windowUpdate(0, 1));
  expect(news()).toEqual([]);
});

test("a body, although other streams wait for replies", () => {
  const { peer, news } = greeted();
  peer.send(headers(1, GET), headers(3, POST, 0));
  expect(news()).toEqual(["body"]);
  for (let sent = 0; sent < 50; sent++) peer.send(data(3, "x", 0));
  peer.exchange.reply({ head: OK, body: "a" });
  expect(news()).toEqual([]);
  peer.send(data(3, "x"));
  expect(news()).toEqual(["reply"]);
});

test("the time of bodies is that of the oldest, and younger ones get theirs after those", () => {
  const { peer, news } = greeted();
  peer.send(headers(1, POST, 0), headers(3, POST, 0));
  expect(news()).toEqual(["body"]);
  peer.send(headers(5, POST, 0), data(1, "x"));
  peer.send(headers(7, POST, 0), reset(7));
  expect(news()).toEqual([]);
  peer.send(reset(3));
  expect(news()).toEqual(["body"]);
  peer.send(headers(9, POST, 0), data(5, "x"), data(9, "x"));
  expect(news()).toEqual(["reply"]);
});

test("a head in pieces, whose pieces renew no time", () => {
  const { peer, news } = greeted();
  const bytes = headers(1, GET);
  for (const byte of bytes.subarray(0, -1)) peer.send(Buffer.of(byte));
  expect(news()).toEqual(["head"]);
  peer.send(bytes.subarray(-1));
  expect(news()).toEqual(["reply"]);
});

test("a block in frames, whose frames renew no time", () => {
  const { peer, news } = greeted();
  peer.send(frame("HEADERS", END_STREAM, 1, block(GET)));
  for (let sent = 0; sent < 10; sent++) peer.send(frame("CONTINUATION", 0, 1, block([["a", "b"]])));
  expect(news()).toEqual(["head"]);
  peer.send(frame("CONTINUATION", END_HEADERS, 1));
  expect(news()).toEqual(["reply"]);
});

test("frames that are always cut in the middle have a time each", () => {
  const { peer, news } = greeted();
  const bytes = Buffer.concat([ping(), ping(), ping()]);
  for (const [from, to] of [
    [0, 5],
    [5, 10],
    [10, 22],
    [22, 51],
  ])
    peer.send(bytes.subarray(from, to));
  expect(news()).toEqual(["head", "head", "request"]);
});

describe("a reply that the peer opens no window for", () => {
  const LONG = "x".repeat(60_000);

  test("is awaited to be taken, and nothing the peer sends renews the time", () => {
    const { peer, news } = greeted({ handler: replying("hello") });
    peer.send(settings([4, 0]), headers(1, GET));
    expect(news()).toEqual(["unread"]);
    peer.send(windowUpdate(1, 1));
    peer.send(ping(), settings([4, 1]), settings([4, 0]));
    expect(news()).toEqual([]);
    peer.send(windowUpdate(1, 4));
    expect(news()).toEqual(["request"]);
  });

  test.each([
    ["none of the stream", settings([4, 0]), []],
    ["none of the connection", settings([4, 2 ** 31 - 1]), [headers(1, GET), headers(3, GET)]],
  ])("is given up when its time is up, and the connection lives: %s", (_, first, before) => {
    const { peer, news } = greeted({ handler: replying(LONG) });
    peer.send(first, ...before, headers(5, GET));
    expect(news()).toEqual(["unread"]);
    expect(peer.wire.held).toBeGreaterThanOrEqual(LONG.length);
    peer.take();
    peer.protocol.timedOut("unread");
    expect(peer.takeShort()).toContain("5 RST_STREAM CANCEL");
    expect(peer.wire.held).toBe(0);
    expect(news()).toEqual(["request"]);
    expect(peer.isAlive).toBe(true);
    // What the peer sent before it heard of that is no error.
    peer.send(windowUpdate(5, 100), reset(5));
    expect(peer.isAlive).toBe(true);
  });

  test("holds up no other: those that came later have their own time", () => {
    const { peer, news } = greeted({ handler: replying(LONG) });
    peer.send(settings([4, 0]), headers(1, GET));
    peer.send(headers(3, GET), headers(5, GET));
    expect(news()).toEqual(["unread"]);
    peer.take();
    peer.protocol.timedOut("unread");
    expect(peer.takeShort()).toEqual(["1 RST_STREAM CANCEL"]);
    expect(news()).toEqual(["unread"]);
    peer.send(windowUpdate(3, LONG.length));
    expect(peer.takeShort().at(-1)).toMatch(/^3 DATA \d+ end$/);
    peer.protocol.timedOut("unread");
    expect(peer.takeShort()).toEqual(["5 RST_STREAM CANCEL"]);
    expect(news()).toEqual(["request"]);
  });

  test("gets the time again with 16 KiB that the peer takes, however small the pieces", () => {
    const { peer, news } = greeted({ handler: replying(LONG) });
    peer.send(settings([4, 0]), headers(1, GET));
    for (let sent = 0; sent < 16; sent++) {
      expect(news()).toEqual(sent === 0 ? ["unread"] : []);
      peer.send(windowUpdate(1, 1024));
    }
    expect(news()).toEqual(["unread"]);
    peer.send(windowUpdate(1, 1024));
    peer.protocol.timedOut("unread");
    expect(peer.takeShort().at(-1)).toBe("1 RST_STREAM CANCEL");
  });

  test("is timed while another request waits for its reply", () => {
    const { peer, news } = greeted();
    peer.send(settings([4, 0]), headers(1, GET), headers(3, GET));
    expect(news()).toEqual(["reply"]);
    peer.seen[0]?.exchange.reply({ head: OK, body: "a" });
    expect(news()).toEqual(["unread"]);
    peer.protocol.timedOut("unread");
    expect(news()).toEqual(["reply"]);
    expect(peer.seen[1]?.exchange.aborted).toBe(false);
  });

  test("is timed together with bodies, and neither of them can hide the other", () => {
    const { peer, news } = greeted({ handler: replying("hello") });
    peer.send(settings([4, 0]), headers(1, POST, 0));
    peer.send(headers(3, GET));
    expect(news()).toEqual(["body"]);
    peer.protocol.timedOut("body");
    expect(news()).toEqual(["unread"]);
    // Streams 1, whose body was broken and whose answer is refused, and 3.
    peer.send(headers(5, POST, 0), headers(7, GET));
    peer.take();
    peer.protocol.timedOut("unread");
    expect(peer.takeShort()).toEqual(["1 RST_STREAM CANCEL", "3 RST_STREAM CANCEL"]);
    peer.protocol.timedOut("unread");
    expect(peer.seen.at(-1)).toMatchObject({ body: "(broken)" });
    expect(peer.takeShort()).toContain("7 RST_STREAM CANCEL");
  });

  test("is not given up while we are the ones who are late", async () => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const closed: string[] = [];
    const body = { length: 5, read: () => promise, close: () => closed.push("closed") };
    const { peer, news } = greeted({ handler: replying(body) });
    peer.send(headers(1, GET));
    expect(news()).toEqual(["unread"]);
    peer.protocol.timedOut("unread");
    expect(news()).toEqual(["unread"]);
    resolve(Buffer.from("hello"));
    await promise;
    await Bun.sleep(0);
    expect(peer.takeShort()).toEqual(["1 HEADERS 200", "1 DATA 5 end"]);
    expect(closed).toEqual(["closed"]);
  });

  test("closes its source when it is given up", async () => {
    const closed: string[] = [];
    const body = {
      length: 50,
      read: async () => Buffer.from("hello"),
      close: () => closed.push("closed"),
    };
    const { peer } = greeted({ handler: replying(body) });
    peer.send(settings([4, 0]), headers(1, GET));
    await Bun.sleep(0);
    peer.protocol.timedOut("unread");
    expect(peer.takeShort().at(-1)).toBe("1 RST_STREAM CANCEL");
    expect(closed).toEqual(["closed"]);
  });
});

test("a body that doesn't come in time is broken, and answered", () => {
  const { peer, news } = greeted();
  peer.send(headers(1, POST, 0), data(1, "x", 0), headers(3, GET));
  expect(news()).toEqual(["body"]);
  peer.send(headers(5, POST, 0));
  peer.protocol.timedOut("body");
  expect(peer.seen.map(({ body }) => body)).toEqual(["", "(broken)"]);
  // The younger body has its own time.
  expect(news()).toEqual(["body"]);
  peer.exchange.reply({ head: { status: 408, fields: [] }, body: undefined });
  expect(peer.takeShort()).toEqual(["1 HEADERS 408 end", "1 RST_STREAM NO_ERROR"]);
  peer.send(data(1, "late"), data(5, "x"));
  expect(peer.seen.at(-1)).toMatchObject({ body: "x" });
  expect(news()).toEqual(["reply"]);
  expect(peer.wire.held).toBe(0);
});

test.each(["request", "head"] as const)(
  "too long a wait for a %s ends the connection",
  (awaited) => {
    const { peer } = greeted();
    peer.send(headers(1, GET));
    peer.protocol.timedOut(awaited);
    expect(peer.takeShort()).toEqual(["GOAWAY 1 NO_ERROR"]);
    expect(peer.wire.finished).toBe(true);
    expect(peer.exchange.aborted).toBe(true);
  },
);
