import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import { KEPT_BYTES } from "../../src/http/limits.ts";
import type { Handler } from "../../src/http/message.ts";
import { HttpServer, type HttpServerParts } from "../../src/http/server.ts";
import { ANY_CERTIFICATE } from "../tls/any-certificate.ts";
import { GET, headers, PREFACE, readFrames, settings, windowUpdate } from "./http2/frames.ts";

const PLAIN = { status: 200, fields: [] } as const;
const hello: Handler = (_, exchange) => exchange.reply({ head: PLAIN, body: "hello" });

let stage: AsyncDisposableStack;
beforeEach(() => {
  stage = new AsyncDisposableStack();
});
afterEach(() => stage.disposeAsync());

/** A server, and what it tells of. */
function serve(parts: Partial<HttpServerParts>) {
  const events = { struck: new Map<string, number>(), bugs: [] as unknown[] };
  const server = new HttpServer({
    ...{ hostname: "127.0.0.1", port: 0, tls: undefined, sharePort: false },
    handler: hello,
    fields: new Set(),
    onBug: (error) => events.bugs.push(error),
    events: {
      opened() {},
      closed() {},
      worked() {},
      struck: (bound) => events.struck.set(bound, (events.struck.get(bound) ?? 0) + 1),
      handshakeFailed() {},
    },
    maxConnections: 10_000,
    ...parts,
  });
  stage.defer(() => server.stop(0));
  return { server, events };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 8_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within 8 s: ${what}`);
    await Bun.sleep(2);
  }
}

/** Connects, and sends this once connected. */
async function open(port: number, bytes: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  stage.defer(() => void socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(bytes, "latin1");
  return socket;
}

/** Sends these pieces, one after the other, and returns what comes until the connection closes. */
async function ask(port: number, tls: boolean, ...pieces: readonly string[]): Promise<string> {
  const host = { host: "127.0.0.1", port, rejectUnauthorized: false };
  const socket = tls ? connectTls(host) : connect(host);
  stage.defer(() => void socket.destroy());
  let received = "";
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  for (const piece of pieces) {
    socket.write(piece, "latin1");
    await Bun.sleep(20);
  }
  await closed;
  return received;
}

const LAST = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

describe("when all places are taken by peers that keep us waiting, others are served", () => {
  const PLACES = 20;

  test.each([
    ["before their handshake", true, ""],
    ["in their handshake", true, "\x16\x03\x01\x02\x00\x01"],
    ["in a head", false, "GET / HTT"],
    ["in a body", false, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"],
  ])("%s", async (_, tls, bytes) => {
    const { server, events } = serve({
      maxConnections: PLACES,
      ...(tls ? { tls: ANY_CERTIFICATE } : {}),
    });
    for (let opened = 0; opened < PLACES; opened++) await open(server.port, bytes);
    await until("full", () => server.connections === PLACES);
    await Bun.sleep(20);
    for (let asked = 0; asked < 3; asked++)
      expect(await ask(server.port, tls, LAST)).toEndWith("hello");
    expect(events.struck.get("connections")).toBe(1);
    await until("a place is free", () => server.connections < PLACES);
  });
});

test("peers that keep all memory there is for requests do not cost others theirs", async () => {
  const { server, events } = serve({});
  const body = 90_000;
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n";
  for (let kept = 0; kept < KEPT_BYTES; kept += body)
    await open(server.port, head + "x".repeat(body));
  await until("all is kept", () => (events.struck.get("held-bytes") ?? 0) > 0);
  // What the last one left.
  for (const size of [20_000, 4_000, 1_000]) {
    for (let n = 0; n < 10; n++) await open(server.port, head + "x".repeat(size));
  }
  const start = `GET / HTTP/1.1\r\nX: ${"x".repeat(2_500)}\r\n`;
  for (let asked = 0; asked < 3; asked++) {
    const answer = await ask(server.port, false, start, "Host: x\r\nConnection: close\r\n\r\n");
    expect(answer).toEndWith("hello");
  }
});

test("a peer over HTTP/2 that opens no window is rid of its reply in time, and keeps its connection", async () => {
  const { server, events } = serve({ tls: ANY_CERTIFICATE, timeLimits: { unread: 1_000 } });
  const host = { host: "127.0.0.1", port: server.port, rejectUnauthorized: false };
  const socket = connectTls({ ...host, ALPNProtocols: ["h2"] });
  stage.defer(() => void socket.destroy());
  let received = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => (received = Buffer.concat([received, bytes])));
  const frames = () => readFrames(received).map(({ type, stream }) => `${stream} ${type}`);
  socket.write(Buffer.concat([PREFACE, settings([4, 0]), headers(1, GET)]));
  await until("given up", () => frames().includes("1 RST_STREAM"));
  expect(Object.fromEntries(events.struck)).toEqual({ "unread-time": 1 });
  socket.write(Buffer.concat([headers(3, GET), windowUpdate(3, 5)]));
  await until("reply", () => frames().includes("3 DATA"));
  expect(server.connections).toBe(1);
});

test("what throws when a socket has something to tell is a bug, and ends that connection", async () => {
  const { server, events } = serve({
    events: {
      opened() {},
      closed() {},
      worked() {},
      struck: () => {
        throw new Error("oops");
      },
      handshakeFailed() {},
    },
  });
  const answer = await ask(
    server.port,
    false,
    `GET / HTTP/1.1\r\nHost: x\r\n${"a: b\r\n".repeat(300)}\r\n`,
  );
  expect(answer).toBe("");
  expect(events.bugs.map(String)).toEqual(["Error: oops"]);
  expect(server.connections).toBe(0);
  expect(await ask(server.port, false, LAST)).toEndWith("hello");
});

test.each([
  ["plain", undefined],
  ["over TLS", ANY_CERTIFICATE],
])("a peer that reads slowly gets its last reply whole, %s", async (_, tls) => {
  const body = "x".repeat(400_000);
  const handler: Handler = (_request, exchange) => exchange.reply({ head: PLAIN, body });
  const { server } = serve({ tls, handler });
  const host = { host: "127.0.0.1", port: server.port, rejectUnauthorized: false };
  const socket = tls === undefined ? connect(host) : connectTls(host);
  stage.defer(() => void socket.destroy());
  let received = "";
  const ends: string[] = [];
  socket.on("error", () => ends.push("reset"));
  socket.on("end", () => ends.push("in order"));
  await new Promise((resolve) =>
    socket.once(tls === undefined ? "connect" : "secureConnect", resolve),
  );
  socket.pause();
  socket.write(LAST);
  await until("the connection opens", () => server.connections === 1);
  await until("the server gives up", () => server.connections === 0);
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  socket.resume();
  await until("the end", () => ends.length > 0);
  expect(ends).toEqual(["in order"]);
  expect(received).toEndWith(`\r\n\r\n${body}`);
});
