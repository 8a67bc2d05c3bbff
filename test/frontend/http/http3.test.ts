import { afterAll, beforeAll, expect, test } from "bun:test";

import fc from "fast-check";

import type { HttpPortParts } from "../../../src/frontend/http/http-port.ts";
import type { Handler } from "../../../src/http/message.ts";
import type { TlsFiles } from "../../../src/tls/certificate.ts";
import { untilHolds } from "../../kit/broker-process.ts";
import { freePort } from "../../kit/free-port.ts";
import { openPort } from "../../kit/http-frontend.ts";
import { saying } from "../../kit/requests.ts";
import { startTestServer, type TestServer } from "../../kit/test-server.ts";
import { makeTlsFiles } from "../../tls/made-certificate.ts";
import { describeWithPrograms } from "../../tls/programs.ts";
import { fetchH3, postH3, postH3Alone, stalledBody, udpSockets } from "./h3-client.ts";

const POLL =
  '{"Sid":"s","Version":"1.3","NAT":"open","AcceptedRelayPattern":"snowflake.torproject.net$"}';
const OFFER = `1.0\n${JSON.stringify({ offer: '{"type":"offer","sdp":"o"}' })}`;
const SDP_ANSWER = '{"type":"answer","sdp":"a=candidate"}';
const ANSWER = JSON.stringify({ Version: "1.3", Sid: "s", Answer: SDP_ANSWER });

describeWithPrograms("HTTP/3", ["openssl"], () => {
  let tls: TlsFiles;
  /** Stopped together: each takes its time. */
  const servers: { stop(): Promise<void> }[] = [];
  beforeAll(() => {
    tls = makeTlsFiles(["a.example"]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  /** A broker that serves HTTP/3, too. */
  function startBroker(): TestServer & { readonly h3: string } {
    const served = startTestServer({ tls, http3: { lost() {} } });
    servers.push(served.server);
    return {
      ...served,
      h3: `https://127.0.0.1:${served.port}/`,
      [Symbol.asyncDispose]: () => served.broker.drain(),
    };
  }

  /** A server as the program has it, on TCP and, unless the parts say otherwise, on UDP. */
  function startServer(parts: Partial<HttpPortParts> = {}, handler: Handler = saying("here")) {
    const opened = openPort(handler, { tls, http3: { lost() {} }, ...parts });
    servers.push(opened.server);
    return opened;
  }

  const isServed = async (served: TestServer & { readonly h3: string }) =>
    (await postH3Alone(`${served.h3}robots.txt`)).status === 200 && served.bugs.length === 0;

  test("poll, offer and answer make a match", async () => {
    await using served = startBroker();
    const polled = postH3(`${served.h3}proxy`, POLL);
    await untilHolds("a proxy waits", async () => served.broker.load.waitingProxies === 1);
    const offered = postH3(`${served.h3}client`, OFFER);
    expect(JSON.parse(await polled)).toMatchObject({
      Status: "client match",
      Offer: '{"type":"offer","sdp":"o"}',
    });
    expect(JSON.parse(await postH3(`${served.h3}answer`, ANSWER))).toEqual({ Status: "success" });
    expect(JSON.parse(await offered)).toEqual({ answer: SDP_ANSWER });
    expect(served.bugs).toEqual([]);
    expect(served.broker.consistencyCheck()).toEqual([]);
  });

  test.each(["127.0.0.1", undefined])("the handler is told who asks, on %p", async (hostname) => {
    const { port } = startServer({ hostname }, (request, exchange) =>
      saying(exchange.remoteAddress ?? "")(request, exchange),
    );
    const response = await fetchH3(`https://127.0.0.1:${port}/`);
    expect(await response.text()).toBe("127.0.0.1");
  });

  test("a proxy that goes away leaves its pool at once", async () => {
    await using served = startBroker();
    const gone = new AbortController();
    const polled = fetchH3(`${served.h3}proxy`, {
      method: "POST",
      body: POLL,
      signal: gone.signal,
    });
    const outcome = polled.catch((error: unknown) => error);
    await untilHolds("a proxy waits", async () => served.broker.load.waitingProxies === 1);
    const start = performance.now();
    gone.abort();
    await untilHolds("it is gone", async () => served.broker.load.waitingProxies === 0);
    // It would have waited for 10 s.
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(await outcome).toBeInstanceOf(Error);
    expect(served.broker.consistencyCheck()).toEqual([]);
  });

  test("a client that goes away is in flight no longer", async () => {
    await using served = startBroker();
    const polled = postH3(`${served.h3}proxy`, POLL);
    await untilHolds("a proxy waits", async () => served.broker.load.waitingProxies === 1);
    const gone = new AbortController();
    const offered = fetchH3(`${served.h3}client`, {
      method: "POST",
      body: OFFER,
      signal: gone.signal,
    });
    const outcome = offered.catch((error: unknown) => error);
    expect(await polled).toContain('"client match"');
    const start = performance.now();
    gone.abort();
    await untilHolds("it is gone", async () => served.broker.load.clients === 0);
    // Its deadline is at 5 s or later.
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(await outcome).toBeInstanceOf(Error);
    expect(await postH3(`${served.h3}answer`, ANSWER)).toContain('"client gone"');
  });

  test("is on the UDP port of the same number, and responses over TCP say so", async () => {
    const { server, port } = startServer();
    expect(udpSockets(port)).toHaveLength(1);
    const response = await fetch(server.url, { tls: { rejectUnauthorized: false } });
    expect(response.headers.get("alt-svc")).toBe(`h3=":${port}"; ma=86400`);
    expect(await response.text()).toBe("here");
    expect(await postH3(`https://127.0.0.1:${port}/`, "")).toBe("here");
    await server.stop();
    expect(udpSockets(port)).toHaveLength(0);
  });

  test("that was not asked for is not there, and nothing speaks of it", async () => {
    const { server, port } = startServer({ http3: undefined });
    const response = await fetch(server.url, { tls: { rejectUnauthorized: false } });
    expect(response.status).toBe(200);
    expect(response.headers.has("alt-svc")).toBe(false);
    expect(udpSockets(port)).toHaveLength(0);
  });

  test("whose port is taken is a start that fails, on TCP, too", async () => {
    const taken = await Bun.udpSocket({ hostname: "127.0.0.1", port: freePort() });
    expect(() => startServer({ port: taken.port })).toThrow(
      `UDP port ${taken.port} is in use by process`,
    );
    const { server } = startServer({ port: taken.port, http3: undefined });
    await server.stop();
    taken.close();
  });

  test.each(["/client", "/proxy", "/answer"])(
    "a body over the limit is refused on %s, declared or not",
    async (path) => {
      await using served = startBroker();
      const tooLong = "x".repeat(100_001);
      for (const body of [tooLong, new Response(tooLong).body]) {
        const response = await fetchH3(served.h3 + path.slice(1), { method: "POST", body });
        expect(response.status).toBe(400);
      }
      expect(await isServed(served)).toBe(true);
    },
  );

  test.each([{ length: "100" }, { length: undefined }])(
    "a body that stalls is given up: declared length %p",
    async ({ length }) => {
      const { port, bugs } = startServer({ timeLimits: { body: 200 } }, (request, exchange) => {
        const { body } = request;
        const said = typeof body === "string" ? body : `${body.length} bytes`;
        saying(said)(request, exchange);
      });
      const url = `https://127.0.0.1:${port}/`;
      const hangUp = new AbortController();
      const response = await fetchH3(url, {
        method: "POST",
        headers: length === undefined ? {} : { "Content-Length": length },
        body: stalledBody(),
        signal: hangUp.signal,
      });
      expect(await response.text()).toBe("broken");
      hangUp.abort();
      expect((await postH3Alone(url, { body: "12" })).text).toBe("2 bytes");
      expect(bugs).toEqual([]);
    },
  );

  test("headers that are too long are refused or end the connection", async () => {
    await using served = startBroker();
    const get = (headers: Record<string, string>) =>
      fetchH3(`${served.h3}robots.txt`, { headers }).then(
        (response) => response.status,
        () => undefined,
      );
    expect(await get({ "X-Long": "y".repeat(8_000) })).toBe(200);
    expect(await get({ "X-Long": "y".repeat(20_000) })).toBe(431);
    const many = Array.from({ length: 200 }, (_, i) => [`X-${i}`, "y".repeat(100)] as const);
    expect(await get(Object.fromEntries(many))).toBeOneOf([431, undefined]);
    expect(await get({ "X-Long": "y".repeat(200_000) })).toBeOneOf([431, undefined]);
    expect(await isServed(served)).toBe(true);
  });

  test("whatever datagrams come, others are served", async () => {
    await using served = startBroker();
    const socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      connect: { hostname: "127.0.0.1", port: served.port },
    });
    // Anything; and what begins as a packet of QUIC does, with a long header and a version, or with a short one.
    const bytes = fc.uint8Array({ maxLength: 1_400 });
    const versions = fc.constantFrom(
      ...[0, 1, 0x6b3343cf, 0x0a0a0a0a].map((n) =>
        Buffer.from(new Uint32Array([n]).buffer).swap32(),
      ),
    );
    const long = fc
      .tuple(fc.integer({ min: 0xc0, max: 0xff }), versions, bytes)
      .map(([first, version, rest]) => Buffer.concat([Buffer.of(first), version, rest]));
    const initial = long.map((packet) => Buffer.concat([packet, Buffer.alloc(1_200)]));
    const short = fc
      .tuple(fc.integer({ min: 0x40, max: 0x7f }), bytes)
      .map(([first, rest]) => Buffer.concat([Buffer.of(first), rest]));
    const polled = postH3(`${served.h3}proxy`, POLL);
    await untilHolds("a proxy waits", async () => served.broker.load.waitingProxies === 1);
    const datagrams = fc.sample(fc.oneof(bytes, long, initial, short), 1_000);
    for (const [i, datagram] of datagrams.entries()) {
      socket.send(datagram);
      // So that the socket's buffer holds them, and the server reads them all.
      if (i % 20 === 0) await Bun.sleep(0);
    }
    expect(await isServed(served)).toBe(true);
    const offered = postH3(`${served.h3}client`, OFFER);
    expect(await polled).toContain('"client match"');
    await postH3(`${served.h3}answer`, ANSWER);
    expect(await offered).toContain('"answer"');
    socket.close();
  });
});
