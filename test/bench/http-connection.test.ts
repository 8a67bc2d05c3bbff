import { expect, test } from "bun:test";

import { HttpConnection } from "../../bench/http-connection.ts";

const RESPONSE =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n";

/** Replies to each request with pieces of text, each in a write of its own; "close" closes. */
function startServer(pieces: (request: number) => readonly string[]) {
  let requests = 0;
  let received = "";
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      async data(socket, chunk) {
        received += chunk.toString();
        if (!received.endsWith("END")) return;
        const request = received;
        received = "";
        for (const piece of pieces(requests++)) {
          if (piece === "close") socket.end();
          else socket.write(piece === "echo length" ? sized(String(request.length)) : piece);
          socket.flush();
          // Another turn of the event loop, so that pieces arrive apart.
          await new Promise(setImmediate);
        }
      },
    },
  });
  return { port: listener.port, [Symbol.dispose]: () => listener.stop(true) };
}

function sized(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
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

test("a response in two pieces, split anywhere, on one connection", async () => {
  using server = startServer((request) => [
    RESPONSE.slice(0, request + 1),
    RESPONSE.slice(request + 1),
  ]);
  const connection = new HttpConnection(server.port);
  for (let split = 1; split < RESPONSE.length; split++) {
    const response = await connection.post("/x", "END", "10.0.0.1");
    expect(response).toEqual({ status: 200, body: "hello, world" });
  }
  connection.close();
});

test("a request larger than the socket takes at once arrives whole", async () => {
  using server = startServer(() => ["echo length"]);
  const connection = new HttpConnection(server.port);
  const body = `${"x".repeat(20_000_000)}END`;
  const { body: length } = await connection.post("/x", body, "10.0.0.1");
  expect(Number(length)).toBeGreaterThan(body.length);
  expect(Number(length)).toBeLessThan(body.length + 300);
  connection.close();
});

test.each([
  ["a close without response", ["close"], "the server closed the connection"],
  ["a close within the response", [RESPONSE.slice(0, 20), "close"], "closed the connection"],
  ["bytes after the response", [`${sized("ok")}x`], "bytes after the response"],
  ["no response", ["what?\r\n\r\n"], "not an HTTP/1.1 response"],
  ["an endless response", [`HTTP/1.1 200 OK\r\nA: ${"x".repeat(130_000)}`], "too long"],
])("%s fails the request and the connection", async (_, pieces, reason) => {
  using server = startServer(() => pieces);
  const connection = new HttpConnection(server.port);
  expect(await reasonOf(connection.post("/x", "END", "10.0.0.1"))).toContain(reason);
  expect(await reasonOf(connection.post("/x", "END", "10.0.0.1"))).toContain(reason);
});

test("no server", async () => {
  const server = startServer(() => []);
  const { port } = server;
  server[Symbol.dispose]();
  const connection = new HttpConnection(port);
  expect(await reasonOf(connection.post("/x", "END", "10.0.0.1"))).toContain("connect");
});

test("closing fails the request in flight", async () => {
  using server = startServer(() => []);
  const connection = new HttpConnection(server.port);
  const reply = connection.post("/x", "END", "10.0.0.1");
  connection.close();
  expect(await reasonOf(reply)).toContain("connection closed");
});
