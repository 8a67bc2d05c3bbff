import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, statSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { childrenOf } from "../kit/process-tree.ts";

const ANSWER = (sid: string) =>
  `{"Version":"1.3","Sid":"${sid}","Answer":"{\\"type\\":\\"answer\\",\\"sdp\\":\\"a=candidate ${sid}\\"}"}`;
const POLL = (sid: string) =>
  `{"Sid":"${sid}","Version":"1.3","NAT":"open","AcceptedRelayPattern":"$"}`;
const OFFER = `1.0\n${JSON.stringify({ offer: '{"type":"offer","sdp":"o"}' })}`;

let addresses = 0;

function post(url: string, path: string, body: string): Promise<string> {
  const headers = { "X-Forwarded-For": `192.0.${++addresses >> 8}.${addresses & 255}` };
  return fetch(url + path, { method: "POST", body, headers, keepalive: false }).then((r) =>
    r.text(),
  );
}

async function waiting(url: string, count: number): Promise<void> {
  await untilHolds(`${count} sessions`, async () => {
    const page = await fetch(`${url}debug`).then((r) => r.text());
    return page.startsWith(`current snowflakes available: ${count}\n`);
  });
}

/** A match between two frontends, or on one. */
async function match(proxyUrl: string, clientUrl: string, sid: string): Promise<void> {
  const polled = post(proxyUrl, "proxy", POLL(sid));
  await waiting(clientUrl, 1);
  const offered = post(clientUrl, "client", OFFER);
  expect(await polled).toContain('"client match"');
  expect(await post(clientUrl, "answer", ANSWER(sid))).toBe('{"Status":"success"}');
  expect(await offered).toContain(`a=candidate ${sid}`);
}

const files = temporaryDirectory();
afterAll(() => files[Symbol.dispose]());

function socketPath(): string {
  return join(mkdtempSync(join(files.path, "own-")), "core.sock");
}

function frontend(socket: string): Promise<BrokerProcess> {
  return BrokerProcess.startRole(
    "http-frontend",
    `--socket=${socket}`,
    "--disable-tls",
    "--addr=127.0.0.1:0",
  );
}

function core(socket: string): Promise<BrokerProcess> {
  return BrokerProcess.startRole("core", `--socket=${socket}`, "--disable-geoip");
}

describe("a core and two http-frontends", () => {
  test("match across frontends, count in one place, and drain", async () => {
    const socket = socketPath();
    await using broker = await core(socket);
    await using one = await frontend(socket);
    await using two = await frontend(socket);
    expect(statSync(socket).mode & 0o777).toBe(0o660);
    await match(one.url, two.url, "a");
    await match(two.url, one.url, "b");
    await post(one.url, "client", "bad");
    for (const { url } of [one, two]) {
      const figures = await fetch(`${url}prometheus`).then((r) => r.text());
      expect(figures).toContain(
        'snowflake_rounded_proxy_answer_outcomes_total{outcome="delivered"} 8',
      );
      expect(figures).toContain('refused_messages_total{reason="version",route="client"} 8');
      expect(figures).toMatch(/^snowflake_frontend_core_connected\{pid="\d+"\} 1$/m);
      expect(figures).not.toContain("snowflake_certificate_");
      const family = await fetch(`${url}prometheus?name[]=snowflake_frontend_core_connected`);
      expect(await family.text()).toMatch(/core_connected\{pid="\d+"\} 1\n$/);
    }
    for (const role of [one, two, broker]) {
      role.signal("SIGTERM");
      expect(await role.exited).toBe(0);
    }
    expect(existsSync(socket)).toBe(false);
  });

  test("kill -9 of the core: waiting polls are registered with the next one, and matched", async () => {
    const socket = socketPath();
    const first = await core(socket);
    await using one = await frontend(socket);
    const polls = Array.from({ length: 50 }, (__, i) => post(one.url, "proxy", POLL(`s${i}`)));
    await waiting(one.url, 50);
    first.signal("SIGKILL");
    await first.exited;
    await using second = await core(socket);
    expect(second.log).toContain("core ready");
    await waiting(one.url, 50);
    const offers = Array.from({ length: 50 }, () => post(one.url, "client", OFFER));
    for (const poll of polls) expect(await poll).toContain('"client match"');
    await Promise.all(polls.map((_, i) => post(one.url, "answer", ANSWER(`s${i}`))));
    for (const offer of offers) expect(await offer).toContain('"answer"');
  });

  test("SIGTERM of the core: matches in flight end, everybody else waits for the next one", async () => {
    const socket = socketPath();
    await using first = await core(socket);
    await using one = await frontend(socket);
    const matched = async (sid: string, sessions: number) => {
      const polled = post(one.url, "proxy", POLL(sid));
      await waiting(one.url, sessions);
      const offered = post(one.url, "client", OFFER);
      expect(await polled).toContain('"client match"');
      return { offered };
    };
    const answering = await matched("a", 1);
    const silent = await matched("b", 2);
    const others = ["c", "d"];
    const polls = others.map((sid) => post(one.url, "proxy", POLL(sid)));
    await waiting(one.url, 4);
    first.signal("SIGTERM");
    await untilHolds("without a socket", async () => !existsSync(socket));
    await using _ = await core(socket);
    const late = post(one.url, "client", OFFER);
    expect(await post(one.url, "answer", ANSWER("a"))).toBe('{"Status":"success"}');
    expect(await answering.offered).toContain("a=candidate a");

    // The silent one's client gets another proxy.
    expect(await first.exited).toBe(0);
    for (const poll of polls) expect(await poll).toContain('"client match"');
    for (const sid of others) {
      expect(await post(one.url, "answer", ANSWER(sid))).toBe('{"Status":"success"}');
    }
    for (const offer of [silent.offered, late]) expect(await offer).toContain("a=candidate");
    expect(await post(one.url, "answer", ANSWER("b"))).toContain("client gone");
    expect(existsSync(socket)).toBe(true);
  });

  test("kill -9 of a frontend takes only its own connections", async () => {
    const socket = socketPath();
    await using _ = await core(socket);
    await using one = await frontend(socket);
    await using two = await frontend(socket);
    const lost = post(one.url, "proxy", POLL("lost")).catch(() => "lost");
    const kept = post(two.url, "proxy", POLL("kept"));
    await waiting(two.url, 2);
    one.signal("SIGKILL");
    expect(await lost).toBe("lost");
    await waiting(two.url, 1);
    const offered = post(two.url, "client", OFFER);
    expect(await kept).toContain('"client match"');
    await post(two.url, "answer", ANSWER("kept"));
    expect(await offered).toContain("a=candidate kept");
  });

  test("a frontend without a core says so, and comes to outcomes all the same", async () => {
    await using one = await frontend(socketPath());
    const figures = await fetch(`${one.url}prometheus`).then((r) => r.text());
    expect(figures).toMatch(/^snowflake_frontend_core_connected\{pid="\d+"\} 0$/m);
    expect(await post(one.url, "client", OFFER)).toContain("no snowflake proxies");
  });
});

describe("--workers", () => {
  test("one command, one port, a worker that dies is started again, all drain together", async () => {
    const port = freePort();
    await using broker = await BrokerProcess.startRole(
      ...["--workers=2", "--disable-tls", `--addr=127.0.0.1:${port}`, "--disable-geoip"],
    );
    await broker.logged("listening on ");
    await untilHolds("two workers", async () => broker.log.split("listening on ").length === 3);
    for (let i = 0; i < 10; i++) await match(broker.url, broker.url, `m${i}`);

    const [worker] = childrenOf(broker.pid);
    if (worker === undefined) throw new Error("no worker");
    process.kill(worker, "SIGKILL");
    await broker.logged("started again");
    await untilHolds("a third worker", async () => broker.log.split("listening on ").length === 4);
    for (let i = 0; i < 10; i++) await match(broker.url, broker.url, `n${i}`);
    const figures = await fetch(`${broker.url}prometheus`).then((r) => r.text());
    expect(figures).toContain("snowflake_worker_restarts_total 1");

    const polled = post(broker.url, "proxy", POLL("in flight"));
    await waiting(broker.url, 1);
    const offered = post(broker.url, "client", OFFER);
    await polled;
    const home = post(broker.url, "proxy", POLL("waiting"));
    await waiting(broker.url, 2);
    broker.signal("SIGTERM");
    expect(await home).toContain('"no match"');
    await post(broker.url, "answer", ANSWER("in flight"));
    expect(await offered).toContain("a=candidate in flight");
    expect(await broker.exited).toBe(0);
  });
});
