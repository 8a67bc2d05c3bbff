import { describe, expect, test } from "bun:test";

import { readMemory } from "../../../bench/process-usage.ts";
import { BrokerProcess } from "../../kit/broker-process.ts";
import { startTestServer, type TestServer } from "../../kit/test-server.ts";
import { RawConnection } from "./raw-http.ts";

/** Milliseconds for a test that waits for a time-out of the server. */
const SLOW = 25_000;

/** Milliseconds, so that no test takes long. */
const LIMITS = { head: 1_000, body: 1_000, request: 1_000 };

const POLL =
  '{"Sid":"s","Version":"1.3","NAT":"open","AcceptedRelayPattern":"snowflake.torproject.net$"}';

function post(path: string, body: string, headers = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Polls until so many proxies wait. */
async function untilWaiting(served: TestServer, count: number): Promise<void> {
  const end = performance.now() + 5000;
  while (served.broker.load.waitingProxies !== count) {
    if (performance.now() > end) throw new Error(`never ${count} waiting`);
    await Bun.sleep(1);
  }
}

async function isServed(served: TestServer): Promise<boolean> {
  const response = await fetch(`${served.server.url}robots.txt`);
  return response.status === 200 && served.bugs.length === 0;
}

describe("a body", () => {
  test.each(["/client", "/proxy", "/answer"])(
    "that declares more than the limit is refused unread on %s",
    async (path) => {
      await using served = startTestServer();
      const connection = await RawConnection.open(served.port);
      connection.send(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nabc`);
      const response = await connection.response();
      expect(response?.statusLine).toBe("HTTP/1.1 400 Bad Request");
      expect(response?.headers).toContain("Access-Control-Allow-Origin: *");
      await connection.until(() => connection.closed);
    },
  );

  test("in chunks without end is cut off at the limit", async () => {
    await using served = startTestServer();
    const connection = await RawConnection.open(served.port);
    connection.send("POST /client HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `2710\r\n${"x".repeat(10_000)}\r\n`;
    for (let sent = 0; sent < 11 && !connection.closed; sent++) {
      connection.send(chunk);
      await Bun.sleep(1);
    }
    const response = await connection.response();
    expect(response?.statusLine).toBe("HTTP/1.1 400 Bad Request");
    await connection.until(() => connection.closed);
    expect(await isServed(served)).toBe(true);
  });

  test("in chunks that ends within the limit is read", async () => {
    await using served = startTestServer();
    const connection = await RawConnection.open(served.port);
    connection.send(
      "POST /client HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1.\r\n3\r\n0\n{\r\n0\r\n\r\n",
    );
    const response = await connection.response();
    expect(response?.body).toBe('{"error":"invalid JSON: the text ends too early"}');
  });

  test("that nobody reads takes no memory", async () => {
    // A process of its own: this one's memory is also that of the sender and of the tests before.
    await using broker = await BrokerProcess.start();
    const connection = await RawConnection.open(Number(new URL(broker.url).port));
    connection.send("POST /debug HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n\r\n");
    const block = "x".repeat(1_000_000);
    const before = readMemory(broker.pid).residentKb;
    let sent = 0;
    while (sent < 200_000_000 && !connection.closed) {
      sent += connection.send(block);
      await Bun.sleep(1);
    }
    expect(readMemory(broker.pid).residentKb - before).toBeLessThan(50_000);
    expect((await fetch(`${broker.url}robots.txt`)).status).toBe(200);
  });

  test.concurrent(
    "that stalls is refused in time, and its client takes no proxy",
    async () => {
      await using served = startTestServer({ timeLimits: LIMITS });
      const connection = await RawConnection.open(served.port);
      connection.send("POST /client HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n1.0\n");
      await connection.until(() => connection.closed, 12_000);
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );

  test.concurrent(
    "that trickles is refused in time, too",
    async () => {
      await using served = startTestServer({ timeLimits: LIMITS });
      const connection = await RawConnection.open(served.port);
      connection.send("POST /client HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n1.0\n");
      const trickle = setInterval(() => connection.send(" "), 100);
      await connection.until(() => connection.closed, 14_000).finally(() => clearInterval(trickle));
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );
});

describe("headers", () => {
  test.concurrent(
    "that trickle are cut off",
    async () => {
      await using served = startTestServer({ timeLimits: LIMITS });
      const connection = await RawConnection.open(served.port);
      connection.send("GET /debug HTTP/1.1\r\n");
      const trickle = setInterval(() => connection.send("X: y\r\n"), 500);
      await connection.until(() => connection.closed, 18_000).finally(() => clearInterval(trickle));
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );

  test("that are too long are refused", async () => {
    await using served = startTestServer();
    const connection = await RawConnection.open(served.port);
    connection.send(`GET /debug HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(70_000)}\r\n\r\n`);
    const response = await connection.response();
    expect(response?.statusLine).toStartWith("HTTP/1.1 431");
  });

  test.each(["a b", "x:y:z", "[::1", "\u00e9", "//", ""])(
    "Host: %p is no reason to fail",
    async (host) => {
      await using served = startTestServer();
      const connection = await RawConnection.open(served.port);
      connection.send(`GET /robots.txt HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
      const response = await connection.response();
      expect(response?.statusLine).toMatch(/ (200 OK|400 Bad Request(: malformed Host header)?)$/);
      expect(await isServed(served)).toBe(true);
    },
  );
});

describe("connections", () => {
  test("a proxy that hangs up leaves its pool at once", async () => {
    await using served = startTestServer();
    const connection = await RawConnection.open(served.port);
    connection.send(post("/proxy", POLL));
    await untilWaiting(served, 1);
    connection.end();
    await untilWaiting(served, 0);
    expect(served.broker.consistencyCheck()).toEqual([]);
  });

  test("a client that hangs up frees its proxy's answer", async () => {
    await using served = startTestServer();
    const proxy = await RawConnection.open(served.port);
    proxy.send(post("/proxy", POLL));
    await untilWaiting(served, 1);
    const client = await RawConnection.open(served.port);
    const offer = JSON.stringify({ offer: '{"type":"offer","sdp":""}' });
    client.send(post("/client", `1.0\n${offer}`));
    expect((await proxy.response())?.body).toContain('"client match"');
    client.end();
    await client.until(() => client.closed);
    const answer = JSON.stringify({
      Version: "1.3",
      Sid: "s",
      Answer: '{"type":"answer","sdp":"a=candidate"}',
    });
    const end = performance.now() + 2000;
    while (served.broker.load.clients > 0 && performance.now() < end) await Bun.sleep(1);
    proxy.send(post("/answer", answer));
    expect((await proxy.response())?.body).toBe('{"Status":"client gone"}');
  });

  test("requests that come before their turn are answered in order", async () => {
    await using served = startTestServer();
    const connection = await RawConnection.open(served.port);
    connection.send(post("/proxy", POLL));
    await untilWaiting(served, 1);
    connection.send("GET /debug HTTP/1.1\r\nHost: x\r\n\r\n");
    connection.send("GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    await served.broker.drain();
    expect((await connection.response())?.body).toContain('"no match"');
    expect((await connection.response())?.body).toStartWith("current snowflakes available: 0");
    expect((await connection.response())?.body).toStartWith("User-agent");
  });

  test.concurrent(
    "that idle after a response are closed in time",
    async () => {
      await using served = startTestServer({ timeLimits: LIMITS });
      const connection = await RawConnection.open(served.port);
      connection.send("GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n");
      expect((await connection.response())?.statusLine).toBe("HTTP/1.1 200 OK");
      await connection.until(() => connection.closed, 12_000);
    },
    SLOW,
  );

  test("closing them is asked for by a server that drains, and by no other", async () => {
    await using draining = startTestServer();
    await using other = startTestServer();
    await draining.server.retire(0);
    const closes = async (served: TestServer) => {
      const connection = await RawConnection.open(served.port);
      connection.send("GET /debug HTTP/1.1\r\nHost: x\r\n\r\n");
      return (await connection.response())?.headers.includes("Connection: close");
    };
    expect(await closes(draining)).toBe(true);
    expect(await closes(other)).toBe(false);
  });
});

test("what a handler throws is not shown", async () => {
  const thrown = new Error("a secret");
  const handler = () => {
    throw thrown;
  };
  await using served = startTestServer({ handler });
  const response = await fetch(served.server.url);
  expect(response.status).toBe(500);
  expect(await response.text()).toBe("");
  expect(served.bugs).toEqual([thrown]);
});

test(
  "10,000 connections that say nothing do not keep a match from being made",
  async () => {
    await using served = startTestServer();
    const flood = Bun.spawn(
      [process.execPath, `${import.meta.dir}/silent-flood.ts`, String(served.port), "10000"],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    try {
      const reader = flood.stdout.getReader();
      const { value } = await reader.read();
      expect(new TextDecoder().decode(value)).toBe("10000 open\n");

      const poll = fetch(`${served.server.url}proxy`, { method: "POST", body: POLL });
      await untilWaiting(served, 1);
      const body = `1.0\n${JSON.stringify({ offer: '{"type":"offer","sdp":""}' })}`;
      const started = performance.now();
      const client = fetch(`${served.server.url}client`, { method: "POST", body });
      expect(await (await poll).text()).toContain('"client match"');
      const answer =
        '{"Version":"1.3","Sid":"s","Answer":"{\\"type\\":\\"answer\\",\\"sdp\\":\\"a=candidate\\"}"}';
      await fetch(`${served.server.url}answer`, { method: "POST", body: answer });
      expect(await (await client).text()).toContain('"answer"');
      expect(performance.now() - started).toBeLessThan(2000);
    } finally {
      flood.kill();
      await flood.exited;
    }
  },
  SLOW,
);
