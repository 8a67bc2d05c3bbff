import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { TlsFiles } from "../../../src/tls/certificate.ts";
import { temporaryDirectory } from "../../interop/temporary-directory.ts";
import { BrokerProcess, runBroker, untilHolds } from "../../kit/broker-process.ts";
import { freePort } from "../../kit/free-port.ts";
import { makeTlsFiles } from "../../tls/made-certificate.ts";
import { describeWithPrograms } from "../../tls/programs.ts";
import { postH3Alone, udpSockets } from "./h3-client.ts";

const OFFER = `1.0\n${JSON.stringify({ offer: '{"type":"offer","sdp":"o"}' })}`;
const NAMES = ["a.example,IP:127.0.0.1"];

function poll(sid: string): string {
  return JSON.stringify({ Sid: sid, Version: "1.3", NAT: "open", AcceptedRelayPattern: "$" });
}

function answer(sid: string): string {
  const sdp = JSON.stringify({ type: "answer", sdp: `a=candidate of ${sid}` });
  return JSON.stringify({ Version: "1.3", Sid: sid, Answer: sdp });
}

let addresses = 0;

/** So many matches at once, of proxies that have not polled before; each request comes on a connection of its own. */
async function makeMatches(url: string, count: number): Promise<void> {
  const sids = Array.from({ length: count }, (_, i) => `proxy-${i}`);
  const answered = sids.map(async (sid) => {
    const forwardedFor = `203.0.113.${addresses++}`;
    const polled = await postH3Alone(`${url}proxy`, { body: poll(sid), forwardedFor });
    if (!polled.text.includes('"client match"')) return polled.text;
    return (await postH3Alone(`${url}answer`, { body: answer(sid) })).text;
  });
  await untilHolds("all wait", async () => {
    const { text } = await postH3Alone(`${url}debug`);
    return text.startsWith(`current snowflakes available: ${count}\n`);
  });
  const offered = sids.map(async (_, i) => {
    const forwardedFor = `198.51.100.${i}`;
    const { text } = await postH3Alone(`${url}client`, { body: OFFER, forwardedFor });
    return /candidate of (proxy-\d+)/.exec(text)?.[1] ?? text;
  });
  expect(await Promise.all(answered)).toEqual(sids.map(() => '{"Status":"success"}'));
  expect((await Promise.all(offered)).toSorted()).toEqual(sids);
}

describeWithPrograms("--http3", ["openssl"], () => {
  let stage: AsyncDisposableStack;
  let directory: string;
  let certificate: readonly string[];

  beforeEach(() => {
    stage = new AsyncDisposableStack();
    directory = stage.use(temporaryDirectory()).path;
    certificate = [`--cert=${path("cert.pem")}`, `--key=${path("key.pem")}`];
    put(makeTlsFiles(NAMES));
  });
  afterEach(() => stage.disposeAsync());

  function path(name: string): string {
    return join(directory, name);
  }

  function put({ cert, key }: TlsFiles): void {
    writeFileSync(path("key.pem"), key);
    writeFileSync(path("cert.pem"), cert);
  }

  async function start(...args: readonly string[]): Promise<BrokerProcess> {
    return stage.use(await BrokerProcess.startRole(...args));
  }

  /** The addresses of the loopback interface by which clients come. */
  function byAddress(port: string | number): string {
    return `https://127.0.0.1:${port}/`;
  }

  test("one process: matches over HTTP/3, whatever else comes, and no address in the log", async () => {
    const broker = await start(
      ...[...certificate, "--http3", "--addr=127.0.0.1:0", "--trusted-hops=1"],
      ...["--disable-geoip", "--log-level=debug"],
    );
    await broker.logged("HTTP/3");
    const { port } = new URL(broker.url);
    const url = byAddress(port);
    await makeMatches(url, 3);

    const forwardedFor = "203.0.113.77";
    await postH3Alone(`${url}proxy`, { body: "203.0.113.77", forwardedFor });
    await postH3Alone(`${url}client`, { body: "203.0.113.77", forwardedFor: "2001:db8::77" });
    const socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      connect: { hostname: "127.0.0.1", port: Number(port) },
    });
    for (let i = 0; i < 200; i++) socket.send(crypto.getRandomValues(new Uint8Array(i * 6)));
    socket.close();
    expect((await postH3Alone(`${url}robots.txt`)).status).toBe(200);

    broker.signal("SIGTERM");
    expect(await broker.exited).toBe(0);
    expect(broker.log).not.toMatch(/127\.0\.0|203\.0\.113|198\.51\.100|2001:db8/);
    expect(udpSockets(Number(port))).toHaveLength(0);
  });

  test("without it there is no UDP port", async () => {
    const broker = await start(...certificate, "--addr=127.0.0.1:0", "--disable-geoip");
    expect(udpSockets(Number(new URL(broker.url).port))).toHaveLength(0);
    expect(broker.log).not.toContain("HTTP/3");
  });

  test("an http-frontend beside a core", async () => {
    const socket = `--socket=${path("core.sock")}`;
    await start("core", socket, "--disable-geoip");
    const frontend = await start(
      ...["http-frontend", socket, ...certificate, "--http3", "--addr=127.0.0.1:0"],
    );
    await makeMatches(byAddress(new URL(frontend.url).port), 2);
  });

  test("workers: a connection stays with one of them; all change their certificate", async () => {
    const port = freePort();
    const url = byAddress(port);
    const broker = await start(
      ...[...certificate, "--workers=2", "--http3", `--addr=127.0.0.1:${port}`, "--disable-geoip"],
    );
    await untilHolds("two workers", async () => udpSockets(port).length === 2);
    await makeMatches(url, 6);

    const next = makeTlsFiles(NAMES);
    writeFileSync(path("ca.pem"), next.cert);
    put(next);
    const before = udpSockets(port);
    broker.signal("SIGHUP");
    await untilHolds("two new sockets", async () => {
      const now = udpSockets(port);
      return now.length === 2 && now.every((socket) => !before.includes(socket));
    });
    const clients = Array.from({ length: 6 }, () =>
      postH3Alone(`${url}robots.txt`, { caFile: path("ca.pem") }),
    );
    for (const { status } of await Promise.all(clients)) expect(status).toBe(200);
    await makeMatches(url, 6);
  });

  test("with --disable-tls it is refused", async () => {
    const { stderr, exitCode } = await runBroker("--disable-tls", "--http3", "--addr=127.0.0.1:0");
    expect(exitCode).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain("--http3 needs TLS: it is of no use with --disable-tls (see --help)");
  });
});
