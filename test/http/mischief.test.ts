import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import type { BodySource, Exchange, Handler } from "../../src/http/message.ts";
import { HttpServer } from "../../src/http/server.ts";
import { ANY_CERTIFICATE } from "../tls/any-certificate.ts";
import { makeTlsFiles } from "../tls/made-certificate.ts";
import { describeWithPrograms } from "../tls/programs.ts";
import {
  data,
  END_HEADERS,
  END_STREAM,
  GET,
  headers,
  POST,
  PREFACE,
  reset,
  settings,
  windowUpdate,
} from "./http2/frames.ts";

/** Peers at the same time, and how many each plays one after the other. */
const AT_ONCE = 40;
const IN_A_ROW = 12;

/** The same numbers from the same seed (mulberry32). */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
type Random = ReturnType<typeof randomFrom>;

function garbage(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** Requests over HTTP/1, whole and broken. */
function http1Piece(random: Random): Buffer {
  const kinds = [
    "GET /now HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /long HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "GET /throw HTTP/1.1\r\nHost: x\r\n\r\n",
    "HEAD /long HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\nabc",
    "POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    "GET /now HT",
    "x".repeat(30_000),
  ];
  return Buffer.from(kinds[random(kinds.length)] ?? "");
}

const PATHS = ["/now", "/wait", "/long", "/later", "/throw"];

/** Frames of HTTP/2, mostly right ones. `stream` is the last that was opened. */
function http2Piece(random: Random, stream: { last: number }): Buffer {
  const some = Math.max(1, stream.last - 2 * random(6));
  const fields = (random(2) === 0 ? GET : POST).map(
    ([name, value]) => [name, name === ":path" ? (PATHS[random(5)] ?? "/") : value] as const,
  );
  switch (random(9)) {
    case 0:
      return data(some, "x".repeat(random(3_000)), random(2));
    case 1:
      return reset(some);
    case 2:
      return windowUpdate(random(2) * some, 1 + random(100_000));
    case 3:
      return settings([4, random(2) * random(100_000)]);
    case 4:
      return garbage(random, 9 + random(20));
    default:
      stream.last += 2;
      return headers(stream.last, fields, END_HEADERS | (random(3) === 0 ? 0 : END_STREAM));
  }
}

/** Closes in one of the ways there are. */
function leave(socket: Socket, random: Random): void {
  const ways = [
    () => socket.destroy(),
    () => socket.resetAndDestroy(),
    () => socket.end(),
    () => socket.end(garbage(random, 20)),
  ];
  ways[random(ways.length)]?.();
}

/** One peer from its connect to its end. */
async function play(port: number, tls: boolean, random: Random): Promise<void> {
  const raw = connect({ host: "127.0.0.1", port });
  const shakesHands = tls && random(4) > 0;
  const isHttp2 = shakesHands && random(2) === 0;
  const socket = shakesHands
    ? connectTls({
        socket: raw,
        rejectUnauthorized: false,
        ALPNProtocols: [isHttp2 ? "h2" : "http/1.1"],
      })
    : raw;
  for (const one of new Set([raw, socket])) one.on("error", () => {});
  if (random(2) === 0) socket.on("data", () => {});
  if (random(8) > 0) {
    await new Promise((resolve) => {
      socket.once(shakesHands ? "secureConnect" : "connect", resolve);
      socket.once("close", resolve);
    });
  }
  const stream = { last: -1 };
  if (isHttp2) socket.write(Buffer.concat([PREFACE, settings()]));
  for (let left = random(8); left > 0 && socket.writable; left--) {
    let piece = isHttp2 ? http2Piece(random, stream) : http1Piece(random);
    if (tls && !shakesHands) piece = garbage(random, 50);
    const cut = random(piece.length + 1);
    socket.write(piece.subarray(0, cut));
    if (random(2) === 0) await Bun.sleep(random(3));
    socket.write(piece.subarray(cut));
  }
  // Inside TLS the connection under it may end first.
  leave(random(4) === 0 ? raw : socket, random);
  await Bun.sleep(random(4));
  socket.destroy();
  raw.destroy();
}

/** A handler that answers in all ways there are, and what has become of what it was given. */
function strict() {
  const counts = { handed: 0, aborted: 0, waiting: new Set<Exchange>() };
  const sources = { made: 0, open: 0, wrong: 0 };
  const head = { status: 200, fields: [] };
  const source = (): BodySource => {
    let state: "idle" | "reading" | "closed" = "idle";
    let left = 20;
    sources.made++;
    sources.open++;
    return {
      length: 20 * 50_000,
      async read() {
        if (state !== "idle" || left-- === 0) sources.wrong++;
        state = "reading";
        await Bun.sleep(0);
        state = "idle";
        return Buffer.alloc(50_000);
      },
      close() {
        if (state !== "idle") sources.wrong++;
        state = "closed";
        sources.open--;
      },
    };
  };
  const handler: Handler = ({ target }, exchange) => {
    counts.handed++;
    if (target === "/throw") throw new Error("on purpose");
    if (target === "/wait") {
      counts.waiting.add(exchange);
      exchange.addEventListener("abort", () => {
        counts.aborted++;
        if (!counts.waiting.delete(exchange)) sources.wrong++;
      });
      return;
    }
    const answer = () => exchange.reply({ head, body: target === "/long" ? source() : "now" });
    if (target === "/later") setTimeout(answer, 2);
    else answer();
  };
  return { handler, counts, sources };
}

describeWithPrograms("a server and its peers", ["openssl"], () => {
  test.each([
    ["plain", undefined],
    ["over TLS", ANY_CERTIFICATE],
  ])(
    "after all mischief nothing is left, %s",
    async (_, tls) => {
      const { handler, counts, sources } = strict();
      const bugs: string[] = [];
      const connections = { opened: 0, closed: 0 };
      const server = new HttpServer({
        ...{ hostname: "127.0.0.1", port: 0, tls, sharePort: false, handler },
        fields: new Set(["host"]),
        onBug: (error) => bugs.push(String(error)),
        events: {
          opened: () => connections.opened++,
          closed: () => connections.closed++,
          worked() {},
          struck() {},
          handshakeFailed() {},
        },
        maxConnections: AT_ONCE + 10,
      });
      const others = [makeTlsFiles(["a.example"]), ANY_CERTIFICATE];
      const replacing = setInterval(() => {
        const next = others[connections.opened % 2];
        if (tls !== undefined && next !== undefined) server.replaceCertificate(next);
      }, 20);
      const seed = Math.floor(Math.random() * 2 ** 31);
      try {
        const players = Array.from({ length: AT_ONCE }, async (__, player) => {
          const random = randomFrom(seed + player);
          for (let left = IN_A_ROW; left > 0; left--) {
            await play(server.port, tls !== undefined, random);
          }
        });
        await Promise.all(players);
        const end = performance.now() + 5_000;
        while (server.connections > 0 && performance.now() < end) await Bun.sleep(5);
        // What was answered later has had its turn.
        await Bun.sleep(50);
        expect({
          seed,
          connections: server.connections,
          difference: connections.opened - connections.closed,
          waiting: counts.waiting.size,
          open: sources.open,
          wrong: sources.wrong,
          bugs: new Set(bugs),
        }).toEqual({
          ...{ seed, connections: 0, difference: 0, waiting: 0, open: 0, wrong: 0 },
          bugs: new Set(["Error: on purpose"]),
        });
        // Otherwise this shows nothing.
        expect(counts.handed).toBeGreaterThan(50);
        expect(counts.aborted).toBeGreaterThan(3);
        expect(sources.made).toBeGreaterThan(5);
      } finally {
        clearInterval(replacing);
        await server.stop(0);
      }
    },
    20_000,
  );
});
