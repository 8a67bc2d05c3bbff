/** Brokers as operators run them, joined by a NATS server. */

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, untilHolds } from "../kit/broker-process.ts";
import { describeWithNats, NatsServer } from "../kit/nats-server.ts";
import { makeTlsFiles } from "../tls/made-certificate.ts";

const files = temporaryDirectory();
afterAll(() => files[Symbol.dispose]());

function file(name: string, text: string): string {
  const path = join(mkdtempSync(join(files.path, "own-")), name);
  writeFileSync(path, text);
  return path;
}

const SECRET = `--cluster-secret=${file("cluster.key", "0123456789abcdef0123456789abcdef\n")}`;

let peers = 0;

function post(broker: BrokerProcess, path: string, body: string): Promise<string> {
  const headers = { "X-Forwarded-For": `192.0.2.${++peers}` };
  return fetch(broker.url + path, { method: "POST", body, headers }).then((r) => r.text());
}

function poll(broker: BrokerProcess, sid: string): Promise<string> {
  const message = { Sid: sid, Version: "1.3", NAT: "open", AcceptedRelayPattern: "$" };
  return post(broker, "proxy", JSON.stringify(message));
}

function offer(broker: BrokerProcess, name: string): Promise<string> {
  const description = JSON.stringify({ type: "offer", sdp: name });
  return post(broker, "client", `1.0\n${JSON.stringify({ offer: description })}`);
}

function answer(broker: BrokerProcess, sid: string): Promise<string> {
  const description = JSON.stringify({ type: "answer", sdp: `a=candidate ${sid}` });
  return post(broker, "answer", JSON.stringify({ Version: "1.3", Sid: sid, Answer: description }));
}

/** Waits until a broker shows this line to Prometheus. */
async function shows(broker: BrokerProcess, line: string): Promise<void> {
  await untilHolds(line, async () => {
    const text = await fetch(`${broker.url}prometheus`).then((r) => r.text());
    return text.split("\n").includes(line);
  });
}

/** Waits until a proxy waits at a broker, and all others have heard of it. */
async function waits(broker: BrokerProcess): Promise<void> {
  await untilHolds("a proxy waits", async () => {
    const text = await fetch(`${broker.url}debug`).then((r) => r.text());
    return !text.startsWith("current snowflakes available: 0\n");
  });
  // Longer than the least time between two words of a node.
  await Bun.sleep(100);
}

/** Brokers that know each other. */
async function start(url: string, count: number, ...args: readonly string[]) {
  const stack = new AsyncDisposableStack();
  const cluster = [`--cluster=${url}`, SECRET, ...args];
  const started = await Promise.all(
    Array.from({ length: count }, () => BrokerProcess.start(...cluster)),
  );
  for (const broker of started) stack.use(broker);
  for (const broker of started) await shows(broker, `snowflake_cluster_nodes ${count}`);
  const [a, b, c] = started;
  if (a === undefined || b === undefined) throw new Error("two brokers at least");
  return { a, b, c: c ?? b, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describeWithNats("a cluster of processes", () => {
  test("a client at one, its proxy at another, the answer at a third", async () => {
    await using server = await NatsServer.start();
    await using t = await start(server.url, 3);
    await shows(t.a, "snowflake_cluster_connected 1");
    const polled = poll(t.b, "s1");
    await waits(t.b);
    const offered = offer(t.a, "hello");
    const given = await polled;
    expect(given).toContain('"client match"');
    expect(given).toContain("wss://snowflake.torproject.net/");
    expect(await answer(t.c, "s1")).toBe('{"Status":"success"}');
    expect(await offered).toContain("a=candidate s1");
    await shows(t.a, 'snowflake_rounded_cluster_asked_total{outcome="given"} 8');
    await shows(t.b, 'snowflake_rounded_cluster_served_total{outcome="given"} 8');
    await shows(t.c, 'snowflake_rounded_cluster_stray_answers_total{outcome="found"} 8');
  });

  test("one stands still: the next is asked, and its own proxies get no offer that is too old", async () => {
    await using server = await NatsServer.start();
    await using t = await start(server.url, 3);
    const still = poll(t.b, "still");
    await waits(t.b);
    process.kill(t.b.pid, "SIGSTOP");
    const there = poll(t.c, "there");
    await waits(t.c);
    const before = performance.now();
    const offered = offer(t.a, "hello");
    expect(await there).toContain('"client match"');
    // The time that the other is waited for, if it was asked first, and more if this machine is busy.
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(await answer(t.c, "there")).toBe('{"Status":"success"}');
    expect(await offered).toContain("a=candidate there");
    process.kill(t.b.pid, "SIGCONT");
    await shows(t.a, "snowflake_cluster_nodes 3");
    const again = offer(t.a, "another");
    expect(await still).toContain("another");
    expect(await answer(t.b, "still")).toBe('{"Status":"success"}');
    expect(await again).toContain("a=candidate still");
  }, 20_000);

  test("one is killed, one is told to stop: the rest goes on", async () => {
    await using server = await NatsServer.start();
    await using t = await start(server.url, 3);
    void poll(t.b, "killed").catch(() => undefined);
    await waits(t.b);
    t.b.signal("SIGKILL");
    await t.b.exited;
    const there = poll(t.c, "there");
    await waits(t.c);
    const offered = offer(t.a, "hello");
    expect(await there).toContain('"client match"');
    t.c.signal("SIGTERM");
    await shows(t.a, "snowflake_cluster_nodes 1");
    // It has a match in flight, which it ends.
    expect(await answer(t.c, "there")).toBe('{"Status":"success"}');
    expect(await offered).toContain("a=candidate there");
    expect(await t.c.exited).toBe(0);
  });

  test("over TLS, with a user and a password; a wrong one is said to be, and hurts nobody else", async () => {
    const { cert, key } = makeTlsFiles(["localhost"]);
    const ca = file("cert.pem", cert);
    await using server = await NatsServer.start([
      ...["--tls", `--tlscert=${ca}`, `--tlskey=${file("key.pem", key)}`],
      ...["--user=broker", "--pass=swordfish"],
    ]);
    const url = `tls://localhost:${server.port}`;
    const tls = `--cluster-ca=${ca}`;
    const right = `--cluster-credentials=${file("user", "broker:swordfish\n")}`;
    await using t = await start(url, 2, tls, right);
    const polled = poll(t.b, "s1");
    await waits(t.b);
    const offered = offer(t.a, "hello");
    expect(await polled).toContain('"client match"');
    expect(await answer(t.b, "s1")).toBe('{"Status":"success"}');
    expect(await offered).toContain("a=candidate s1");

    for (const [args, why] of [
      [[tls, `--cluster-credentials=${file("user", "broker:guess")}`], /Authorization Violation/i],
      [[right], /certificate/i],
    ] as const) {
      await using alone = await BrokerProcess.start(`--cluster=${url}`, SECRET, ...args);
      expect(await alone.logged("NATS can't be reached")).toMatch(why);
      expect(alone.log).not.toContain("guess");
      await shows(alone, "snowflake_cluster_connected 0");
      const own = poll(alone, "own");
      await waits(alone);
      void offer(alone, "hello").catch(() => undefined);
      expect(await own).toContain('"client match"');
    }
  }, 20_000);

  test("a core is a node, with all its frontends", async () => {
    await using server = await NatsServer.start();
    const cluster = [`--cluster=${server.url}`, SECRET];
    const socket = join(mkdtempSync(join(files.path, "own-")), "core.sock");
    await using core = await BrokerProcess.startRole(
      ...["core", `--socket=${socket}`, "--disable-geoip", ...cluster],
    );
    await using frontend = await BrokerProcess.startRole(
      ...["http-frontend", `--socket=${socket}`, "--disable-tls", "--addr=127.0.0.1:0"],
    );
    await using all = await BrokerProcess.start(...cluster);
    await shows(frontend, "snowflake_cluster_nodes 2");
    const polled = poll(frontend, "s1");
    await waits(frontend);
    const offered = offer(all, "hello");
    expect(await polled).toContain('"client match"');
    expect(await answer(all, "s1")).toBe('{"Status":"success"}');
    expect(await offered).toContain("a=candidate s1");
    expect(core.log).toContain("connected to NATS");
  });
});
