import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type SecureVersion } from "node:tls";

import { readMemory } from "../../bench/process-usage.ts";
import type { TimeLimits } from "../../src/http/time-limits.ts";
import { RawConnection } from "../frontend/http/raw-http.ts";
import { until } from "../interop/waiting.ts";
import { startTestServer, type TestServer } from "../kit/test-server.ts";
import { ANY_CERTIFICATE } from "./any-certificate.ts";
import { recordClientHello } from "./client-hello.ts";
import { startTlsBroker } from "./tls-broker.ts";

const CLIENT_HELLO = await recordClientHello();

/** Milliseconds within which a handshake has to end: 20 s by default, two ticks, and what a busy machine takes. */
const HANDSHAKE_BOUND = 30_000;

/** Milliseconds for a test that waits that long. */
const SLOW = 2 * HANDSHAKE_BOUND;

const POLL = '{"Sid":"s","Version":"1.3","NAT":"open","AcceptedRelayPattern":"$"}';
const OFFER = `1.0\n${JSON.stringify({ offer: '{"type":"offer","sdp":""}' })}`;
const ANSWER = JSON.stringify({
  ...{ Version: "1.3", Sid: "s" },
  Answer: '{"type":"answer","sdp":"a=candidate"}',
});

function startTlsServer(timeLimits: Partial<TimeLimits> = { handshake: 2_000 }): TestServer {
  return startTestServer({ tls: ANY_CERTIFICATE, timeLimits });
}

/** Asks on a connection of its own. */
async function ask(port: number, path: string, body = ""): Promise<string> {
  const response = await fetch(`https://127.0.0.1:${port}/${path}`, {
    method: "POST",
    body,
    keepalive: false,
    tls: { rejectUnauthorized: false },
  });
  return response.text();
}

async function isServed({ port, bugs, broker }: TestServer): Promise<boolean> {
  const text = await ask(port, "robots.txt");
  return text.startsWith("User-agent") && bugs.length + broker.consistencyCheck().length === 0;
}

/** What is agreed on with a client that offers just this. */
async function shakeHands(port: number, version: SecureVersion, protocols: readonly string[]) {
  const socket = connect({
    ...{ host: "127.0.0.1", port, rejectUnauthorized: false },
    ...{ minVersion: version, maxVersion: version, ALPNProtocols: [...protocols] },
  });
  try {
    await once(socket, "secureConnect");
    return { version: socket.getProtocol(), protocol: socket.alpnProtocol };
  } finally {
    socket.destroy();
  }
}

/** A record of the handshake's kind, which holds a message that it says is a ClientHello. */
const FALSE_HELLO = `\x16\x03\x01\x01\x00\x01\x00\x00\xfc${"\xff".repeat(0xfc)}`;

type Opening = readonly [name: string, bytes: string];

/** What the server can tell at once. */
const WRONG: readonly Opening[] = [
  ["garbage", "\xff".repeat(300)],
  ["a ClientHello of garbage", FALSE_HELLO],
  ["a plain HTTP request", "GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"],
  [
    "a plain POST of a poll",
    `POST /proxy HTTP/1.1\r\nContent-Length: ${POLL.length}\r\n\r\n${POLL}`,
  ],
  ["HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a record of a length that is not allowed", "\x16\x03\x01\xff\xff\x01"],
  ["application data", "\x17\x03\x03\x00\x05hello"],
];

/** What could go on, and does not. */
const STALLED: readonly Opening[] = [
  ["nothing", ""],
  ["the first bytes of a record", CLIENT_HELLO.slice(0, 3)],
  ["half a ClientHello", CLIENT_HELLO.slice(0, CLIENT_HELLO.length / 2)],
  ["a ClientHello and nothing after it", CLIENT_HELLO],
];

describe("the version of TLS", () => {
  test.each(["TLSv1", "TLSv1.1"] as const)("%s is refused", async (version) => {
    await using served = startTlsServer();
    const error: unknown = await shakeHands(served.port, version, ["h2"]).catch((e: unknown) => e);
    // The alert that the server sends: the client would have gone on.
    expect(String(error)).toInclude("TLSV1_ALERT_PROTOCOL_VERSION");
    expect(await isServed(served)).toBe(true);
  });

  test.each([
    ["TLSv1.2", "h2"],
    ["TLSv1.2", "http/1.1"],
    ["TLSv1.3", "h2"],
    ["TLSv1.3", "http/1.1"],
  ] as const)("%s is served, with %s", async (version, protocol) => {
    await using served = startTlsServer();
    expect(await shakeHands(served.port, version, [protocol])).toEqual({ version, protocol });
  });

  test("a peer that offers both protocols gets HTTP/2, whatever its order", async () => {
    await using served = startTlsServer();
    const { protocol } = await shakeHands(served.port, "TLSv1.3", ["http/1.1", "h2"]);
    expect(protocol).toBe("h2");
  });
});

test("a handshake that comes byte by byte, but in time, is served", async () => {
  await using served = startTlsServer();
  const upstream = Promise.withResolvers<Bun.Socket>();
  using relay = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (peer) => {
        const socket = {
          data: (_: Bun.Socket, bytes: Buffer) => void peer.write(bytes),
          close: () => void peer.end(),
        };
        void Bun.connect({ hostname: "127.0.0.1", port: served.port, socket }).then(
          upstream.resolve,
          upstream.reject,
        );
      },
      data: async (_, bytes) => {
        const socket = await upstream.promise;
        socket.setNoDelay(true);
        for (const byte of bytes) socket.write(Uint8Array.of(byte));
      },
      close: async () => void (await upstream.promise).end(),
    },
  });
  expect(await ask(relay.port, "robots.txt")).toStartWith("User-agent");
});

describe("a peer that begins with", () => {
  test.each(WRONG)("%s is closed at once", async (_, bytes) => {
    await using served = startTlsServer();
    const connection = await RawConnection.open(served.port);
    connection.send(bytes);
    await connection.until(() => connection.closed, 1_000);
    // Nothing, or an alert, which has seven bytes.
    expect([0, 7]).toContain(connection.received.length);
    expect(await isServed(served)).toBe(true);
  });

  test.concurrent.each(STALLED)(
    "%s is closed in time",
    async (_, bytes) => {
      await using served = startTlsServer();
      const connection = await RawConnection.open(served.port);
      connection.send(bytes);
      await connection.until(() => connection.closed, HANDSHAKE_BOUND);
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );
});

/** Sends byte after byte, a hundred milliseconds apart, and is closed long before they are at their end. */
async function trickle(start: string, rest: string): Promise<void> {
  await using served = startTlsServer();
  const connection = await RawConnection.open(served.port);
  connection.send(start);
  let sent = 0;
  const timer = setInterval(() => connection.send(rest.charAt(sent++)), 100);
  await connection
    .until(() => connection.closed, HANDSHAKE_BOUND)
    .finally(() => clearInterval(timer));
  expect(sent).toBeLessThan(rest.length);
  expect(await isServed(served)).toBe(true);
}

describe("a slow handshake", () => {
  test.concurrent("whose ClientHello trickles is cut off", () => trickle("", CLIENT_HELLO), SLOW);

  test.concurrent(
    "that trickles after the ClientHello is cut off",
    () => trickle(CLIENT_HELLO, `\x16\x03\x03\x40\x00${"a".repeat(1_000)}`),
    SLOW,
  );

  test.concurrent.each(["h2", "http/1.1"])(
    "is over, and nothing is asked on %s: closed in time",
    async (protocol) => {
      await using served = startTlsServer({ request: 2_000 });
      const socket = connect({
        ...{ host: "127.0.0.1", port: served.port, rejectUnauthorized: false },
        ALPNProtocols: [protocol],
      });
      socket.resume();
      await once(socket, "secureConnect");
      await once(socket, "close", { signal: AbortSignal.timeout(HANDSHAKE_BOUND) });
      expect(await isServed(served)).toBe(true);
    },
    SLOW,
  );
});

describe("five hundred hostile peers at once", () => {
  test.concurrent(
    "do not keep a match from being made, take little memory, and leave no address in the log",
    async () => {
      await using started = await startTlsBroker("--log-level=debug");
      const { broker, port } = started;
      await ask(port, "robots.txt");
      const { log } = broker;
      const before = readMemory(broker.pid).residentKb;

      const openings = [...WRONG, ...STALLED];
      const start = (count: number) =>
        Promise.all(
          Array.from({ length: count }, async (_, i) => {
            const connection = await RawConnection.open(port);
            connection.send(openings[i % openings.length]?.[1] ?? "");
            return connection;
          }),
        );
      const crowd = await start(500);
      const poll = ask(port, "proxy", POLL);
      await until(5_000, "proxy waiting", async () =>
        (await ask(port, "debug")).startsWith("current snowflakes available: 1") ? true : undefined,
      );
      const matching = performance.now();
      const client = ask(port, "client", OFFER);
      expect(await poll).toContain('"client match"');
      expect(await ask(port, "answer", ANSWER)).toBe('{"Status":"success"}');
      expect(await client).toContain('"answer"');
      expect(performance.now() - matching).toBeLessThan(2_000);

      // As many again and again: what they take does not add up.
      for (let round = 0; round < 4; round++) crowd.push(...(await start(500)));
      await Promise.all(crowd.map((peer) => peer.until(() => peer.closed, HANDSHAKE_BOUND)));
      expect(readMemory(broker.pid).residentKb - before).toBeLessThan(40_000);
      expect(await ask(port, "robots.txt")).toStartWith("User-agent");
      const lines = broker.log.slice(log.length).split("\n").slice(0, -1);
      const others = lines.filter(
        (line) => !/ DEBUG a TLS handshake failed reason="?\w+"?$/.test(line),
      );
      expect(others).toEqual([]);
    },
    SLOW,
  );
});
