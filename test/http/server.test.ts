import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";

import type { BodySource, Exchange, Handler } from "../../src/http/message.ts";
import { HttpServer, type HttpServerParts } from "../../src/http/server.ts";

const PLAIN = { status: 200, fields: [] } as const;
const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

let stage: AsyncDisposableStack;
beforeEach(() => {
  stage = new AsyncDisposableStack();
});
afterEach(() => stage.disposeAsync());

/** A server, and the words of what it tells of. */
function serve(handler: Handler, parts: Partial<HttpServerParts> = {}) {
  const events: string[] = [];
  const server = new HttpServer({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    sharePort: false,
    handler,
    fields: new Set(),
    onBug: (error) => events.push(`bug ${String(error)}`),
    events: {
      opened: () => {},
      closed: () => {},
      worked: () => {},
      struck: (bound) => events.push(bound),
      handshakeFailed: (reason) => events.push(reason),
    },
    maxConnections: 1_000,
    ...parts,
  });
  stage.defer(() => server.stop(0));
  return { server, events };
}

const hello: Handler = (_, exchange) => exchange.reply({ head: PLAIN, body: "hello" });

interface Peer {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
}

async function open(port: number): Promise<Peer> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  let received = "";
  let closed = false;
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  socket.on("end", () => {
    closed = true;
    socket.end();
  });
  socket.on("error", () => (closed = true));
  socket.on("close", () => (closed = true));
  stage.defer(() => void socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  return { socket, received: () => received, isClosed: () => closed };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 8_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within 8 s: ${what}`);
    await Bun.sleep(2);
  }
}

describe("the limit of connections", () => {
  test("one more takes the place of the one that has idled longest", async () => {
    const { server, events } = serve(hello, { maxConnections: 3 });
    const peers: Peer[] = [];
    for (let n = 0; n < 3; n++) {
      const peer = await open(server.port);
      peer.socket.write(REQUEST);
      await until("reply", () => peer.received().endsWith("hello"));
      peers.push(peer);
    }
    peers[0]?.socket.write(REQUEST);
    await until("second reply", () => peers[0]?.received().split("hello").length === 3);
    const fourth = await open(server.port);
    fourth.socket.write(REQUEST);
    await until("reply", () => fourth.received().endsWith("hello"));
    await until("closed", () => peers[1]?.isClosed() === true);
    expect(peers.map((peer) => peer.isClosed())).toEqual([false, true, false]);
    expect(events).toEqual(["connections"]);
  });

  test("with nobody idle, the newcomer is closed, and the others are not", async () => {
    const exchanges: Exchange[] = [];
    const { server, events } = serve((_, exchange) => exchanges.push(exchange), {
      maxConnections: 2,
    });
    const waiting = [await open(server.port), await open(server.port)];
    for (const peer of waiting) peer.socket.write(REQUEST);
    await until("requests", () => exchanges.length === 2);
    const late = await open(server.port);
    await until("closed", late.isClosed);
    expect(events).toEqual(["connections"]);
    for (const exchange of exchanges) exchange.reply({ head: PLAIN, body: "at last" });
    for (const peer of waiting) await until("reply", () => peer.received().endsWith("at last"));
  });
});

describe("a peer that doesn't read", () => {
  test("is cut off when several replies wait for it", async () => {
    const { server, events } = serve((_, exchange) =>
      exchange.reply({ head: PLAIN, body: "x".repeat(3_000_000) }),
    );
    const peer = await open(server.port);
    peer.socket.pause();
    peer.socket.write(REQUEST.repeat(6));
    await until("cut", () => events.includes("unsent-bytes"));
    await until("gone", () => server.connections === 0);
  });

  test("is cut off in time when one reply waits for it", async () => {
    const { server, events } = serve(
      (_, exchange) => exchange.reply({ head: PLAIN, body: "x".repeat(9_000_000) }),
      { timeLimits: { unread: 1_000 } },
    );
    const peer = await open(server.port);
    peer.socket.pause();
    peer.socket.write(REQUEST);
    await until("cut", () => events.includes("unread-time"));
    await until("gone", () => server.connections === 0);
  });

  test("but takes its time gets all", async () => {
    const { server, events } = serve((_, exchange) =>
      exchange.reply({ head: PLAIN, body: "é".repeat(4_000_000) }),
    );
    const peer = await open(server.port);
    peer.socket.pause();
    peer.socket.write(REQUEST);
    await Bun.sleep(300);
    peer.socket.resume();
    await until("reply", () => peer.received().length > 8_000_000);
    expect(peer.received()).toInclude("Content-Length: 8000000\r\n");
    expect(peer.received()).toEndWith("\r\n\r\n" + "Ã©".repeat(4_000_000));
    expect(events).toEqual([]);
  }, 20_000);
});

describe("a long body", () => {
  /** So many pieces of 100,000 bytes. */
  function source(pieces: number, end: "whole" | "breaks off" = "whole") {
    const state = { read: 0, closed: 0 };
    const body: BodySource = {
      length: pieces * 100_000,
      async read() {
        await Bun.sleep(0);
        if (end === "breaks off" && state.read === pieces - 1) throw new Error("no more");
        state.read++;
        return Buffer.alloc(100_000, "x");
      },
      close: () => state.closed++,
    };
    return { body, state };
  }

  test("is read as it is taken, and closed in the end; the next request is answered", async () => {
    const { body, state } = source(200);
    let asked = 0;
    const { server, events } = serve((_, exchange) => {
      exchange.reply({ head: PLAIN, body: asked++ === 0 ? body : "next" });
    });
    const peer = await open(server.port);
    peer.socket.pause();
    peer.socket.write(REQUEST + REQUEST);
    await Bun.sleep(200);
    expect(state.read).toBeLessThan(120);
    peer.socket.resume();
    await until("all", () => peer.received().endsWith("\r\n\r\nnext"));
    expect(state).toEqual({ read: 200, closed: 1 });
    expect(events).toEqual([]);
  });

  test("that breaks off ends the connection", async () => {
    const { body, state } = source(5, "breaks off");
    const { server } = serve((_, exchange) => exchange.reply({ head: PLAIN, body }));
    const peer = await open(server.port);
    peer.socket.write(REQUEST);
    await until("closed", peer.isClosed);
    expect(peer.received().length).toBeLessThan(500_000);
    expect(state).toEqual({ read: 4, closed: 1 });
  });

  test("is closed when its peer has gone", async () => {
    const { body, state } = source(1_000);
    const { server } = serve((_, exchange) => exchange.reply({ head: PLAIN, body }));
    const peer = await open(server.port);
    peer.socket.write(REQUEST);
    await until("some", () => peer.received().length > 100_000);
    peer.socket.destroy();
    await until("closed", () => state.closed === 1);
    expect(state.read).toBeLessThan(1_000);
  });

  test("reaches a half-closed peer whole", async () => {
    const { body, state } = source(100);
    const { server } = serve((_, exchange) => exchange.reply({ head: PLAIN, body }));
    const peer = await open(server.port);
    peer.socket.end(REQUEST);
    await until("closed", peer.isClosed);
    expect(peer.received().length).toBeGreaterThan(10_000_000);
    expect(state).toEqual({ read: 100, closed: 1 });
  });
});

describe("a half-closed peer", () => {
  test("gets what is answered later, if nobody waits for it", async () => {
    const { server } = serve((_, exchange) => {
      setTimeout(() => exchange.reply({ head: PLAIN, body: "later" }), 50);
    });
    const peer = await open(server.port);
    peer.socket.end(REQUEST);
    await until("closed", peer.isClosed);
    expect(peer.received()).toEndWith("\r\n\r\nlater");
  });

  test("counts as gone where somebody waits for it", async () => {
    let aborted = 0;
    const { server } = serve((_, exchange) => {
      exchange.addEventListener("abort", () => aborted++);
    });
    const peer = await open(server.port);
    peer.socket.end(REQUEST);
    await until("closed", peer.isClosed);
    expect({ aborted, received: peer.received() }).toEqual({ aborted: 1, received: "" });
  });
});

test("a handler that throws is a bug, and its peer gets status 500", async () => {
  const { server, events } = serve(() => {
    throw new Error("oops");
  });
  const peer = await open(server.port);
  peer.socket.write(REQUEST);
  await until("reply", () => peer.received().includes("\r\n\r\n"));
  expect(peer.received()).toStartWith("HTTP/1.1 500 Internal Server Error\r\n");
  expect(peer.received()).toInclude("\r\nContent-Length: 0\r\n");
  expect(events).toEqual(["bug Error: oops"]);
});

test("a server that retires closes those that idle, one after the other, and serves the rest", async () => {
  const { server } = serve(hello);
  const peers = [];
  for (let n = 0; n < 8; n++) {
    const peer = await open(server.port);
    peer.socket.write(REQUEST);
    await until("reply", () => peer.received().endsWith("hello"));
    peers.push(peer);
  }
  const retired = server.retire(800);
  await Bun.sleep(400);
  const closed = peers.filter((peer) => peer.isClosed()).length;
  expect(closed).toBeWithin(1, 8);
  const late = await open(server.port);
  late.socket.write(REQUEST);
  await until("reply", () => late.received().endsWith("hello"));
  expect(late.received()).toInclude("\r\nConnection: close\r\n");
  await until("all closed", () => server.connections === 0);
  await retired;
});

test("what a peer sends after the last reply does not cost it that reply", async () => {
  const { server } = serve((request, exchange) => {
    const body = typeof request.body === "string" ? request.body : "read";
    exchange.reply({ head: PLAIN, body, close: true });
  });
  const peer = await open(server.port);
  peer.socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
  for (let n = 0; n < 30 && !peer.isClosed(); n++) {
    peer.socket.write("x".repeat(100_000));
    await Bun.sleep(1);
  }
  await until("closed", peer.isClosed);
  expect(peer.received()).toEndWith("\r\n\r\ntoo-long");
});
