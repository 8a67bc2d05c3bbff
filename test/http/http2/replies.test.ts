import { describe, expect, test } from "bun:test";

import type { BodySource, Reply } from "../../../src/http/message.ts";
import { GET, headers, POST, readBlock, reset, settings, windowUpdate } from "./frames.ts";
import { CUTS, DATE, OK, Peer, replying, short } from "./peer.ts";

const HEAD = [[":method", "HEAD"], ...GET.slice(1)] as const;

/** Replies to one request with this, and gives the fields and what else came. */
function replyTo(method: typeof GET, reply: Reply, greeting = settings()) {
  const peer = Peer.greeted();
  peer.send(greeting, headers(1, method));
  peer.take();
  peer.exchange.reply(reply);
  const writes = peer.wire.writes.length;
  const [first, ...rest] = peer.take();
  const body = Buffer.concat(rest.map(({ payload }) => payload)).toString();
  return {
    fields: readBlock(first?.payload ?? Buffer.of()),
    frames: rest.map(short),
    body,
    peer,
    writes,
  };
}

describe("a reply", () => {
  test("has its status, its fields, date and length, and goes out in one write", () => {
    const { fields, frames, body, writes } = replyTo(GET, { head: OK, body: "grüezi" });
    expect(fields).toEqual([
      [":status", "200"],
      ["content-type", "text/plain"],
      ["date", DATE],
      ["content-length", "7"],
    ]);
    expect(frames).toEqual(["1 DATA 7 end"]);
    expect(body).toBe("grüezi");
    expect(writes).toBe(1);
  });

  test("may have a status and fields that no table has", () => {
    const head = {
      status: 418,
      fields: [
        ["X-Own", "a".repeat(300)],
        ["Location", "/b"],
      ],
    } as const;
    const { fields } = replyTo(GET, { head, body: new Uint8Array(0) });
    expect(fields.slice(0, 3)).toEqual([
      [":status", "418"],
      ["x-own", "a".repeat(300)],
      ["location", "/b"],
    ]);
  });

  test("is rendered once for each head", () => {
    let reads = 0;
    const head = {
      status: 200,
      get fields() {
        reads++;
        return [];
      },
    };
    const peer = Peer.greeted({ handler: (_, exchange) => exchange.reply({ head, body: "a" }) });
    peer.send(headers(1, GET), headers(3, GET), headers(5, GET));
    expect(peer.take()).toHaveLength(6);
    expect(reads).toBe(1);
  });

  const length = (fields: [string, string][]) =>
    fields.find(([name]) => name === "content-length")?.[1];

  test.each([
    ["no body", GET, 200, undefined, "0", []],
    ["an empty body", GET, 200, "", "0", []],
    ["bytes", GET, 200, Buffer.from("abc"), "3", ["1 DATA 3 end"]],
    ["a body to HEAD", HEAD, 200, "abc", "3", []],
    ["no body to HEAD", HEAD, 200, undefined, undefined, []],
    ["204", GET, 204, undefined, undefined, []],
    ["304", GET, 304, undefined, undefined, []],
  ])("with %s", (_, method, status, body, told, expected) => {
    const { fields, frames } = replyTo(method, { head: { status, fields: [] }, body });
    expect(length(fields)).toBe(told);
    expect(frames).toEqual(expected);
  });

  test("with a head of 40 KB takes several frames", () => {
    const location = "l".repeat(40_000);
    const peer = Peer.greeted();
    peer.send(headers(1, GET));
    peer.exchange.reply({ head: { status: 307, fields: [["Location", location]] }, body: "moved" });
    const frames = peer.take();
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
      ["HEADERS", 0],
      ["CONTINUATION", 0],
      ["CONTINUATION", 4],
      ["DATA", 1],
    ]);
    const whole = Buffer.concat(frames.slice(0, 3).map(({ payload }) => payload));
    expect(readBlock(whole)).toContainEqual(["location", location]);
  });

  test("says that we use no table, to a peer that allows less than is usual", () => {
    const peer = Peer.greeted({ handler: replying(undefined) });
    peer.send(settings([1, 100]), headers(1, GET), headers(3, GET));
    const [, first, second] = peer.take();
    expect(readBlock(first?.payload ?? Buffer.of())[0]).toEqual(["table size", "0"]);
    expect(readBlock(second?.payload ?? Buffer.of())[0]).toEqual([":status", "200"]);
    const waiting = Peer.greeted();
    waiting.send(settings([1, 0]), headers(1, [...POST, ["expect", "100-continue"]], 0));
    expect(readBlock(waiting.take()[1]?.payload ?? Buffer.of())).toEqual([
      ["table size", "0"],
      [":status", "100"],
    ]);
  });

  test("that comes later goes out by itself; a second one doesn't", () => {
    const peer = Peer.greeted();
    peer.send(headers(1, GET), headers(3, GET));
    expect(peer.take()).toEqual([]);
    peer.seen[0]?.exchange.reply({ head: OK, body: "a" });
    expect(peer.takeShort()).toEqual(["1 HEADERS 200", "1 DATA 1 end"]);
    peer.seen[0]?.exchange.reply({ head: OK, body: "b" });
    expect(peer.take()).toEqual([]);
    peer.seen[1]?.exchange.reply({ head: OK, body: "c", close: true });
    expect(peer.takeShort()).toEqual(["3 HEADERS 200", "3 DATA 1 end"]);
    expect(peer.isAlive).toBe(true);
  });

  test("is 500 if the handler throws or fails, and the bug is told", () => {
    const error = new Error("a bug");
    const peer = Peer.greeted({
      handler: () => {
        throw error;
      },
    });
    peer.send(headers(1, GET));
    expect(peer.takeShort()).toEqual(["1 HEADERS 500 end"]);
    const later = Peer.greeted();
    later.send(headers(1, GET));
    later.exchange.fail(error);
    expect(later.takeShort()).toEqual(["1 HEADERS 500 end"]);
    later.exchange.fail(error);
    expect(later.take()).toEqual([]);
    expect([...peer.bugs, ...later.bugs]).toEqual([error, error, error]);
  });
});

/** A body of pieces that are read when the test says so. */
class Pieces implements BodySource {
  readonly length: number;
  closed = 0;
  reads = 0;
  readonly #pieces: (string | Error)[];

  constructor(length: number, ...pieces: (string | Error)[]) {
    this.length = length;
    this.#pieces = pieces;
  }

  async read(): Promise<Uint8Array> {
    this.reads++;
    await Promise.resolve();
    const piece = this.#pieces.shift() ?? new Error("no more");
    if (piece instanceof Error) throw piece;
    return Buffer.from(piece);
  }

  close(): void {
    this.closed++;
  }
}

const LONG_PIECES = ["x".repeat(50_000), "x".repeat(50_000)];

/** Lets what has been read arrive. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

describe("a body that is made piece by piece", () => {
  test("is read to its end, and closed", async () => {
    const body = new Pieces(6, "abc", "def");
    const { fields, peer } = replyTo(GET, { head: OK, body });
    expect(fields).toContainEqual(["content-length", "6"]);
    await settled();
    expect(peer.takeShort()).toEqual(["1 DATA 3", "1 DATA 3 end"]);
    expect(body.closed).toBe(1);
    expect(peer.wire.held).toBe(0);
    expect(peer.wire.awaited.slice(-2)).toEqual(["unread", "request"]);
  });

  test("is read no further than the windows allow", async () => {
    const body = new Pieces(6, "abc", "def");
    const { peer } = replyTo(GET, { head: OK, body }, settings([4, 2]));
    await settled();
    expect(peer.takeShort()).toEqual(["1 DATA 2"]);
    expect(body.reads).toBe(1);
    expect(peer.wire.held).toBe(1);
    peer.send(windowUpdate(1, 1));
    await settled();
    expect(body.reads).toBe(1);
    peer.send(windowUpdate(1, 100));
    await settled();
    expect(peer.takeShort()).toEqual(["1 DATA 1", "1 DATA 3 end"]);
  });

  test("is not read ahead of all windows, however many there are", async () => {
    const bodies = Array.from({ length: 100 }, () => new Pieces(100_000, ...LONG_PIECES));
    const peer = Peer.greeted();
    peer.send(settings([4, 2 ** 31 - 1]), ...bodies.map((_, at) => headers(2 * at + 1, GET)));
    for (const [at, body] of bodies.entries()) peer.seen[at]?.exchange.reply({ head: OK, body });
    await settled();
    for (let sent = 0; sent < 200; sent++) {
      peer.send(windowUpdate(0, 1));
      await settled();
    }
    expect(peer.wire.mostHeld).toBeLessThan(500_000);
    for (let sent = 0; sent < 10_000_000 && peer.wire.held > 0; sent += 50_000) {
      peer.send(windowUpdate(0, 50_000));
      await settled();
    }
    expect(peer.wire.mostHeld).toBeLessThan(500_000);
    expect(bodies.every(({ closed }) => closed === 1)).toBe(true);
  });

  test("is read when others that were read ahead of their windows are given up", async () => {
    const peer = Peer.greeted();
    peer.send(windowUpdate(0, 1_000_000), settings([4, 1]));
    const stuck = [1, 3, 5, 7, 9, 11];
    peer.send(...stuck.map((stream) => headers(stream, GET)), headers(13, GET));
    for (const { exchange } of peer.seen) {
      exchange.reply({ head: OK, body: new Pieces(100_000, ...LONG_PIECES) });
      await settled();
    }
    peer.send(windowUpdate(13, 200_000));
    await settled();
    expect(peer.takeShort()).not.toContain("13 DATA 16384");
    for (const stream of stuck) peer.send(reset(stream));
    await settled();
    expect(peer.takeShort().at(-1)).toMatch(/^13 DATA \d+ end$/);
  });

  test("is read no further than the peer reads", async () => {
    const body = new Pieces(6, "abc", "def");
    const peer = Peer.greeted();
    peer.send(headers(1, GET));
    peer.wire.unsent = 1;
    peer.exchange.reply({ head: OK, body });
    await settled();
    expect(body.reads).toBe(0);
    peer.wire.unsent = 0;
    peer.protocol.drained();
    await settled();
    expect(body.closed).toBe(1);
    expect(peer.takeShort()).toEqual(["1 HEADERS 200", "1 DATA 3", "1 DATA 3 end"]);
  });

  test.each([
    ["that fails", new Pieces(6, "abc", new Error("gone"))],
    ["that is longer than it says", new Pieces(4, "abc", "def")],
    ["with an empty piece", new Pieces(6, "abc", "")],
  ])("%s breaks off the reply, and nothing else", async (_, body) => {
    const { peer } = replyTo(GET, { head: OK, body });
    await settled();
    expect(peer.takeShort()).toEqual(["1 DATA 3", "1 RST_STREAM INTERNAL_ERROR"]);
    expect(body.closed).toBe(1);
    expect(peer.isAlive).toBe(true);
    expect(peer.wire.held).toBe(0);
  });

  test("is closed unread for HEAD, without length, and for a peer that has gone", () => {
    const forHead = new Pieces(6);
    replyTo(HEAD, { head: OK, body: forHead });
    const empty = new Pieces(0);
    expect(replyTo(GET, { head: OK, body: empty }).frames).toEqual([]);
    const late = new Pieces(6);
    const peer = Peer.greeted();
    peer.send(headers(1, GET), reset(1));
    peer.exchange.reply({ head: OK, body: late });
    expect(peer.take()).toEqual([]);
    for (const body of [forHead, empty, late]) expect([body.closed, body.reads]).toEqual([1, 0]);
  });

  test("is closed when its stream is reset, but not while a piece is being read", async () => {
    const waiting = new Pieces(6, "abc", "def");
    const first = replyTo(GET, { head: OK, body: waiting }, settings([4, 1]));
    await settled();
    first.peer.send(reset(1));
    expect(waiting.closed).toBe(1);
    expect(first.peer.wire.held).toBe(0);
    const read = new Pieces(6, "abc", "def");
    const second = replyTo(GET, { head: OK, body: read });
    second.peer.send(reset(1));
    expect(read.closed).toBe(0);
    await settled();
    expect([read.closed, read.reads]).toEqual([1, 1]);
    expect(second.peer.take()).toEqual([]);
    expect(second.peer.wire.awaited.slice(-2)).toEqual(["unread", "request"]);
  });
});

test.each(CUTS)("requests that come %s are replied to in one go", (_, cut) => {
  const peer = Peer.greeted({ cut, handler: replying("ok") });
  peer.send(...[1, 3, 5, 7].map((stream) => headers(stream, GET)));
  expect(peer.takeShort()).toEqual(
    [1, 3, 5, 7].flatMap((stream) => [`${stream} HEADERS 200`, `${stream} DATA 2 end`]),
  );
});
