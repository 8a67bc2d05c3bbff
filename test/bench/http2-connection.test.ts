import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createSecureServer } from "node:http2";

import { Http2Connection } from "../../bench/http2-connection.ts";
import type { Handler } from "../../src/http/message.ts";
import { NO_CONNECTION_EVENTS } from "../../src/http/server.ts";
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  frame,
  PADDED,
  settings,
  u32,
} from "../http/http2/frames.ts";
import { openPort } from "../kit/http-frontend.ts";
import { ANY_CERTIFICATE } from "../tls/any-certificate.ts";

const PLAIN = { status: 200, fields: [] } as const;
/** A head with status 200, and the body that follows. */
const OK = frame("HEADERS", END_HEADERS, 1, [0x88]);
const HELLO = frame("DATA", END_STREAM, 1, "hello");

let stage: AsyncDisposableStack;
beforeEach(() => {
  stage = new AsyncDisposableStack();
});
afterEach(() => stage.disposeAsync());

function connectTo(port: number): Http2Connection {
  const connection = new Http2Connection(port);
  stage.defer(() => connection.close());
  return connection;
}

/** Why the promise rejects. */
async function reasonOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error);
  }
  return "it does not";
}

/** Sends pieces, each in a turn of its own, when the first request has come. `protocols`: what it takes with ALPN. */
function startScript(pieces: readonly Uint8Array[], protocols = "\x02h2") {
  let received = "";
  let open = 0;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    tls: { ...ANY_CERTIFICATE, ALPNProtocols: Buffer.from(protocols) },
    socket: {
      open: () => void open++,
      close: () => void open--,
      async data(socket, chunk) {
        const isFirst = received === "";
        received += chunk.toString("latin1");
        if (!isFirst) return;
        for (const piece of pieces) {
          if (piece.length === 0) socket.end();
          else socket.write(piece);
          await new Promise(setImmediate);
        }
      },
    },
  });
  stage.defer(() => listener.stop(true));
  return { port: listener.port, received: () => received, open: () => open };
}

describe("this broker's server", () => {
  const echo: Handler = ({ method, target, fields, body }, exchange) => {
    const text = typeof body === "string" ? body : Buffer.from(body).toString();
    const forwarded = fields.get("x-forwarded-for") ?? "";
    exchange.reply({ head: PLAIN, body: `${method} ${target} ${forwarded} ${text}` });
  };

  test("requests one after the other arrive whole, on one connection", async () => {
    let opened = 0;
    const events = { ...NO_CONNECTION_EVENTS, opened: () => void opened++ };
    const { port, server } = openPort(echo, { tls: ANY_CERTIFICATE, events });
    stage.defer(() => server.stop());
    const connection = connectTo(port);
    for (const body of ["one", "two", "x".repeat(16_000), ""]) {
      const response = await connection.post("/proxy", body, "32.0.0.1");
      expect(response).toEqual({ status: 200, body: `POST /proxy 32.0.0.1 ${body}` });
    }
    expect(connection.isOpen).toBe(true);
    expect(opened).toBe(1);
  });

  test("more bytes go out than the first window has room for", async () => {
    const { port, server } = openPort(echo, { tls: ANY_CERTIFICATE });
    stage.defer(() => server.stop());
    const connection = connectTo(port);
    const body = "x".repeat(10_000);
    for (let request = 0; request < 20; request++) {
      expect((await connection.post("/x", body, "32.0.0.1")).body).toEndWith(body);
    }
  });

  test("a server that leaves closes the connection", async () => {
    const { port, server } = openPort(echo, { tls: ANY_CERTIFICATE });
    const connection = connectTo(port);
    await connection.post("/x", "", "32.0.0.1");
    await server.stop();
    expect(connection.isOpen).toBe(false);
    const reason = await reasonOf(connection.post("/x", "", "32.0.0.1"));
    expect(reason).toContain("the server closed the connection");
  });
});

test("a server of others: its table, its code, its status, a long body", async () => {
  const server = createSecureServer(ANY_CERTIFICATE, (request, response) => {
    response.writeHead(request.url === "/there" ? 200 : 404, { "x-made-up": "some value" });
    response.end("long ".repeat(20_000));
  });
  stage.defer(() => void server.close());
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await listening;
  const address = server.address();
  const connection = connectTo(typeof address === "object" ? (address?.port ?? 0) : 0);
  for (const [path, status] of [
    ["/there", 200],
    ["/gone", 404],
    ["/there", 200],
    ["/gone", 404],
  ] as const) {
    const response = await connection.post(path, "body", "32.0.0.1");
    expect(response).toEqual({ status, body: "long ".repeat(20_000) });
  }
});

test("a response in two pieces, split anywhere", async () => {
  const bytes = Buffer.concat([settings(), OK, HELLO]);
  for (let split = 1; split < bytes.length; split++) {
    const { port } = startScript([bytes.subarray(0, split), bytes.subarray(split)]);
    const response = await connectTo(port).post("/x", "", "32.0.0.1");
    expect(response).toEqual({ status: 200, body: "hello" });
  }
});

test("settings and pings are answered", async () => {
  const ping = frame("PING", 0, 0, "12345678");
  const script = startScript([settings(), ping, OK, HELLO]);
  await connectTo(script.port).post("/x", "", "32.0.0.1");
  const answers = [frame("SETTINGS", ACK, 0), frame("PING", ACK, 0, "12345678")];
  while (!answers.every((answer) => script.received().includes(answer.toString("latin1"))))
    await new Promise(setImmediate);
});

test("a status that is not in the static table is told from 200", async () => {
  const { port } = startScript([frame("HEADERS", END_HEADERS | END_STREAM, 1, [0x48, 0x82])]);
  expect((await connectTo(port).post("/x", "", "32.0.0.1")).status).not.toBe(200);
});

test("a reply on its way arrives when the server leaves", async () => {
  const leaving = frame("GOAWAY", 0, 0, Buffer.concat([u32(1), u32(0)]));
  const { port } = startScript([leaving, OK, HELLO]);
  const connection = connectTo(port);
  expect((await connection.post("/x", "", "32.0.0.1")).body).toBe("hello");
  expect(connection.isOpen).toBe(false);
});

const FAULTS: readonly [string, readonly Uint8Array[], string][] = [
  ["a reset", [frame("RST_STREAM", 0, 1, u32(7))], "the server reset the stream"],
  ["the end of the connection", [settings(), Buffer.alloc(0)], "the server closed the connection"],
  [
    "a request that a leaving server does not take",
    [frame("GOAWAY", 0, 0, Buffer.concat([u32(0), u32(0)]))],
    "the server closed the connection",
  ],
  [
    "a frame of another stream",
    [frame("HEADERS", END_HEADERS, 3, [0x88])],
    "a frame of no request",
  ],
  ["padding", [OK, frame("DATA", END_STREAM | PADDED, 1, [0])], "a padded frame"],
  ["a long frame", [Buffer.from("004001000000000000", "hex")], "a frame longer than allowed"],
  [
    "a long body",
    [OK, ...Array.from({ length: 8 }, () => frame("DATA", 0, 1, Buffer.alloc(16_384)))],
    "response too long",
  ],
];

test.each(FAULTS)("%s fails the request, and all later ones", async (_, pieces, reason) => {
  const script = startScript(pieces);
  const connection = connectTo(script.port);
  expect(await reasonOf(connection.post("/x", "", "32.0.0.1"))).toContain(reason);
  expect(await reasonOf(connection.post("/x", "", "32.0.0.1"))).toContain(reason);
  expect(connection.isOpen).toBe(false);
  while (script.open() > 0) await new Promise(setImmediate);
});

test("a server that opens no window", async () => {
  const replies = [1, 3, 5, 7, 9].map((stream) =>
    Buffer.concat([frame("HEADERS", END_HEADERS | END_STREAM, stream, [0x88])]),
  );
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    tls: { ...ANY_CERTIFICATE, ALPNProtocols: Buffer.from("\x02h2") },
    socket: {
      data(socket, chunk) {
        if (!chunk.toString("latin1").endsWith("END")) return;
        const reply = replies.shift();
        if (reply !== undefined) socket.write(reply);
      },
    },
  });
  stage.defer(() => listener.stop(true));
  const connection = connectTo(listener.port);
  const body = `${"x".repeat(15_000)}END`;
  for (let request = 0; request < 4; request++) await connection.post("/x", body, "32.0.0.1");
  const reason = await reasonOf(connection.post("/x", body, "32.0.0.1"));
  expect(reason).toContain("the server opens no window");
});

test("a server that speaks only HTTP/1.1", async () => {
  const { port } = startScript([], "\x08http/1.1");
  const reason = await reasonOf(connectTo(port).post("/x", "", "32.0.0.1"));
  expect(reason).toContain("the server does not speak HTTP/2");
});

test("no server", async () => {
  const { port, server } = openPort(() => {});
  await server.stop();
  expect(await reasonOf(connectTo(port).post("/x", "", "32.0.0.1"))).toContain("connect");
});

test("closing fails the request in flight", async () => {
  const { port } = startScript([]);
  const connection = connectTo(port);
  const reply = connection.post("/x", "", "32.0.0.1");
  expect(await reasonOf(connection.post("/x", "", "32.0.0.1"))).toContain("in flight");
  connection.close();
  expect(await reasonOf(reply)).toContain("connection closed");
});
