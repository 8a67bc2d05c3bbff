/** Connections with a PROXY header, on real sockets, without and with TLS. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect as connectSocket, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";

import type { Handler } from "../../../src/http/message.ts";
import { HttpServer, type HttpServerParts } from "../../../src/http/server.ts";
import { ANY_CERTIFICATE } from "../../tls/any-certificate.ts";
import { makeTlsFiles } from "../../tls/made-certificate.ts";
import { describeWithPrograms } from "../../tls/programs.ts";
import { binary, IPV4, line } from "./headers.ts";

const OK = { status: 200, fields: [] } as const;
const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const HEADER = line("TCP4 192.0.2.7 198.51.100.1 50000 443");

let stage: AsyncDisposableStack;
beforeEach(() => {
  stage = new AsyncDisposableStack();
});
afterEach(() => stage.disposeAsync());

/** Replies with the address that a request comes from. */
const whoIs: Handler = (_, exchange) =>
  exchange.reply({ head: OK, body: exchange.remoteAddress ?? "nobody" });

/** A server that expects PROXY headers, and the words of what it tells of. */
function serve(handler: Handler, parts: Partial<HttpServerParts> = {}) {
  const events: string[] = [];
  const server = new HttpServer({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    proxyProtocol: true,
    sharePort: false,
    handler,
    fields: new Set(),
    onBug: (error) => events.push(`bug ${String(error)}`),
    events: {
      opened: () => {},
      closed: () => {},
      worked: () => {},
      struck: (bound) => events.push(bound),
      handshakeFailed: (reason) => events.push(`handshake ${reason}`),
    },
    maxConnections: 1_000,
    ...parts,
  });
  stage.defer(() => server.stop(0));
  return { server, events };
}

interface Peer<S extends Socket = Socket> {
  readonly socket: S;
  readonly received: () => string;
  readonly isEnded: () => boolean;
}

function heard<S extends Socket>(socket: S): Peer<S> {
  let received = "";
  let ended = false;
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  for (const event of ["end", "error", "close"]) socket.on(event, () => (ended = true));
  stage.defer(() => void socket.destroy());
  return { socket, received: () => received, isEnded: () => ended };
}

/** A load balancer's connection. */
async function open(port: number): Promise<Peer> {
  const socket = connectSocket({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  return heard(socket);
}

/** Sends the header, and does TLS after it. */
async function openTls(
  port: number,
  header: Uint8Array,
  options: ConnectionOptions = {},
): Promise<Peer<TLSSocket>> {
  const { socket } = await open(port);
  socket.write(header);
  const tls = connectTls({ socket, rejectUnauthorized: false, ...options });
  tls.allowHalfOpen = true;
  await new Promise((resolve) => {
    tls.once("secureConnect", resolve);
    for (const event of ["error", "close"]) tls.once(event, resolve);
  });
  return heard(tls);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 8_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within 8 s: ${what}`);
    await Bun.sleep(2);
  }
}

/** Both ways to be served, and how a peer of a load balancer comes through it. */
const WAYS = [
  { way: "plain", tls: undefined },
  { way: "TLS", tls: ANY_CERTIFICATE },
] as const;

async function openThrough(port: number, way: string, header: Uint8Array): Promise<Peer> {
  if (way === "TLS") return openTls(port, header);
  const peer = await open(port);
  peer.socket.write(header);
  return peer;
}

describe.each(WAYS)("$way", ({ way, tls }) => {
  test.each([
    ["version 1", HEADER, "192.0.2.7"],
    ["version 1, UNKNOWN", line("UNKNOWN"), "127.0.0.1"],
    ["version 2", binary(0x21, 0x11, IPV4), "192.0.2.7"],
    ["version 2, LOCAL", binary(0x20, 0x11, IPV4), "127.0.0.1"],
  ])("%s: every request comes from the peer that it names", async (_, header, address) => {
    const { server, events } = serve(whoIs, { tls });
    const peer = await openThrough(server.port, way, header);
    for (let n = 1; n <= 3; n++) {
      peer.socket.write(REQUEST);
      await until("reply", () => peer.received().split(`\r\n\r\n${address}`).length === n + 1);
    }
    expect(events).toEqual([]);
  });

  test("a connection that begins with anything else is cut and counted", async () => {
    const { server, events } = serve(whoIs, { tls });
    const peer = await open(server.port);
    peer.socket.write(REQUEST);
    await until("cut", peer.isEnded);
    expect(peer.received()).toBe("");
    expect(events).toEqual(["proxy-header"]);
    expect(server.connections).toBe(0);
  });

  test("a header that does not come in time is counted as one", async () => {
    const { server, events } = serve(whoIs, { tls, timeLimits: { "proxy-header": 1_000 } });
    const peer = await open(server.port);
    peer.socket.write(HEADER.subarray(0, 20));
    await until("cut", peer.isEnded);
    expect(events).toEqual(["proxy-header"]);
  });

  test("a peer that leaves before its header is complete is nobody's fault", async () => {
    const { server, events } = serve(whoIs, { tls });
    const peer = await open(server.port);
    await until("opened", () => server.connections === 1);
    peer.socket.end(HEADER.subarray(0, 20));
    await until("closed", () => server.connections === 0);
    expect(events).toEqual([]);
  });

  test("a long reply reaches a slow peer whole", async () => {
    const { server } = serve(
      (_, exchange) => exchange.reply({ head: OK, body: "é".repeat(4_000_000) }),
      { tls },
    );
    const peer = await openThrough(server.port, way, HEADER);
    peer.socket.pause();
    peer.socket.write(REQUEST);
    await Bun.sleep(300);
    peer.socket.resume();
    await until("reply", () => peer.received().length > 8_000_000);
    expect(peer.received()).toEndWith("\r\n\r\n" + "Ã©".repeat(4_000_000));
  }, 20_000);

  test("a peer that doesn't read is cut off", async () => {
    const { server, events } = serve(
      (_, exchange) => exchange.reply({ head: OK, body: "x".repeat(9_000_000) }),
      { tls, timeLimits: { unread: 1_000 } },
    );
    const peer = await openThrough(server.port, way, HEADER);
    peer.socket.pause();
    peer.socket.write(REQUEST);
    await until("cut", () => events.includes("unread-time"));
    await until("gone", () => server.connections === 0);
  });

  test("the last reply arrives before the end", async () => {
    const { server } = serve(
      (_, exchange) => exchange.reply({ head: OK, body: "x".repeat(500_000), close: true }),
      { tls },
    );
    const peer = await openThrough(server.port, way, HEADER);
    peer.socket.write(REQUEST);
    await until("end", peer.isEnded);
    expect(peer.received()).toEndWith("\r\n\r\n" + "x".repeat(500_000));
    peer.socket.end();
    await until("gone", () => server.connections === 0);
  });

  test.each([5, 500_000])("a half-closed peer gets a reply of %d bytes", async (length) => {
    const body = "x".repeat(length);
    const later: Handler = (_, exchange) => {
      setTimeout(() => exchange.reply({ head: OK, body }), 50);
    };
    const { server } = serve(later, { tls });
    const peer = await openThrough(server.port, way, HEADER);
    peer.socket.end(REQUEST);
    await until("reply", () => peer.received().endsWith(`\r\n\r\n${body}`));
    await until("gone", () => server.connections === 0);
  });

  test("a peer that disconnects is noticed while its request waits", async () => {
    let waiting = 0;
    let aborted = 0;
    const { server, events } = serve(
      (_, exchange) => {
        waiting++;
        exchange.addEventListener("abort", () => aborted++);
      },
      { tls },
    );
    for (const leave of ["end", "destroy"] as const) {
      const peer = await openThrough(server.port, way, HEADER);
      peer.socket.write(REQUEST);
      await until("request", () => waiting === aborted + 1);
      const before = aborted;
      peer.socket[leave]();
      await until("aborted", () => aborted === before + 1);
    }
    await until("gone", () => server.connections === 0);
    expect(events).toEqual([]);
  });

  test("one connection too many takes the place of one that idles, not of one that waits for its header", async () => {
    const { server, events } = serve(whoIs, { tls, maxConnections: 2 });
    const idle = await openThrough(server.port, way, HEADER);
    idle.socket.write(REQUEST);
    await until("reply", () => idle.received().includes("192.0.2.7"));
    const headless = await open(server.port);
    await until("both", () => server.connections === 2);
    const newcomer = await openThrough(server.port, way, HEADER);
    newcomer.socket.write(REQUEST);
    await until("reply", () => newcomer.received().includes("192.0.2.7"));
    await until("closed", idle.isEnded);
    expect(headless.isEnded()).toBe(false);
    expect(events).toEqual(["connections"]);
  });

  test("a server that stops leaves no connection", async () => {
    const { server } = serve(whoIs, { tls });
    const peer = await openThrough(server.port, way, HEADER);
    peer.socket.write(REQUEST);
    await until("reply", () => peer.received().includes("192.0.2.7"));
    const headless = await open(server.port);
    await until("both", () => server.connections === 2);
    await server.stop(200);
    await until("closed", () => peer.isEnded() && headless.isEnded());
  });
});

test("a header and a request that come byte by byte", async () => {
  const { server } = serve(whoIs);
  const peer = await open(server.port);
  for (const byte of Buffer.concat([HEADER, Buffer.from(REQUEST)])) {
    peer.socket.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until("reply", () => peer.received().endsWith("\r\n\r\n192.0.2.7"));
});

test("a header and a request in one segment", async () => {
  const { server } = serve(whoIs);
  const peer = await open(server.port);
  peer.socket.write(Buffer.concat([HEADER, Buffer.from(REQUEST)]));
  await until("reply", () => peer.received().endsWith("\r\n\r\n192.0.2.7"));
});

describe.each(WAYS)("a port behind $way", ({ tls }) => {
  test("that is taken can't be had", () => {
    const { server } = serve(whoIs, { tls });
    const again = () => serve(whoIs, { tls, port: server.port });
    expect(again).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  });

  test("that is shared can be had twice", () => {
    const { server } = serve(whoIs, { tls, sharePort: true });
    const again = serve(whoIs, { tls, sharePort: true, port: server.port });
    expect(again.server.port).toBe(server.port);
  });
});

describe("TLS after a header", () => {
  test("offers HTTP/2 and HTTP/1.1", async () => {
    const { server } = serve(whoIs, { tls: ANY_CERTIFICATE });
    for (const ALPNProtocols of [["h2", "http/1.1"], ["http/1.1"]]) {
      const { socket } = await openTls(server.port, HEADER, { ALPNProtocols });
      expect(socket.alpnProtocol).toBe(ALPNProtocols[0] ?? "");
    }
  });

  test("that stops in the handshake is counted as that", async () => {
    const { server, events } = serve(whoIs, {
      tls: ANY_CERTIFICATE,
      timeLimits: { handshake: 1_000 },
    });
    const peer = await open(server.port);
    peer.socket.write(HEADER);
    await until("cut", peer.isEnded);
    expect(events).toEqual(["handshake-time"]);
    expect(server.connections).toBe(0);
  });

  test("that fails is told of with its reason, and its connection closed", async () => {
    const { server, events } = serve(whoIs, { tls: ANY_CERTIFICATE });
    const peer = await open(server.port);
    peer.socket.write(Buffer.concat([HEADER, Buffer.from(REQUEST)]));
    await until("closed", peer.isEnded);
    peer.socket.end();
    await openTls(server.port, HEADER, { minVersion: "TLSv1", maxVersion: "TLSv1.1" });
    const silent = await open(server.port);
    silent.socket.end(HEADER);
    const broken = await open(server.port);
    broken.socket.write(HEADER);
    await until("all gone but one", () => server.connections === 1);
    broken.socket.resetAndDestroy();
    await until("gone", () => server.connections === 0);
    expect(events).toEqual([
      "handshake http_request",
      "handshake unsupported_protocol",
      "handshake hung_up",
      "handshake hung_up",
    ]);
  });

  test("garbage in the midst of it ends the connection", async () => {
    const { server, events } = serve(whoIs, { tls: ANY_CERTIFICATE });
    const raw = await open(server.port);
    raw.socket.write(HEADER);
    const tls = connectTls({ socket: raw.socket, rejectUnauthorized: false });
    const peer = heard(tls);
    peer.socket.write(REQUEST);
    await until("reply", () => peer.received().includes("192.0.2.7"));
    raw.socket.write("garbage ".repeat(10));
    await until("gone", () => server.connections === 0);
    expect(events).toEqual([]);
  });
});

describeWithPrograms("curl with a header of its own", ["curl"], () => {
  test.each(["1.1", "2"])("over TLS, HTTP/%s", async (version) => {
    const { server } = serve(whoIs, { tls: ANY_CERTIFICATE });
    const url = `https://127.0.0.1:${server.port}/`;
    const curl = Bun.spawn(
      ["curl", "-sk", `--http${version}`, "--haproxy-protocol", "-w", " %{http_version}", url, url],
      { stdout: "pipe" },
    );
    expect(await curl.stdout.text()).toBe(`127.0.0.1 ${version}`.repeat(2));
  });
});

describeWithPrograms("a change of certificate after headers", ["openssl"], () => {
  test("is for handshakes to come, and ends no connection", async () => {
    const names = (peer: Peer<TLSSocket>) => peer.socket.getPeerCertificate().subjectaltname;
    const { server } = serve(whoIs, { tls: makeTlsFiles(["old.example"]) });
    const before = await openTls(server.port, HEADER);
    server.replaceCertificate(makeTlsFiles(["new.example"]));
    const after = await openTls(server.port, HEADER);
    expect([names(before), names(after)]).toEqual(["DNS:old.example", "DNS:new.example"]);
    for (const peer of [before, after]) {
      peer.socket.write(REQUEST);
      await until("reply", () => peer.received().includes("192.0.2.7"));
    }
  });
});
