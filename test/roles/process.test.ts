import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, runBroker, untilHolds } from "../kit/broker-process.ts";

const FINGERPRINT = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";

function post(broker: BrokerProcess, path: string, body: string, from = "198.51.100.1") {
  return fetch(broker.url + path, {
    method: "POST",
    body,
    headers: { "X-Forwarded-For": from },
  }).then((response) => response.text());
}

function poll(broker: BrokerProcess, sid: string, from?: string): Promise<string> {
  const message = { Sid: sid, Version: "1.3", NAT: "open", AcceptedRelayPattern: "$" };
  return post(broker, "proxy", JSON.stringify(message), from);
}

function offer(broker: BrokerProcess, name: string): Promise<string> {
  const description = JSON.stringify({ type: "offer", sdp: name });
  return post(broker, "client", `1.0\n${JSON.stringify({ offer: description })}`);
}

function answer(broker: BrokerProcess, sid: string): Promise<string> {
  const description = JSON.stringify({ type: "answer", sdp: `a=candidate ${sid}` });
  return post(broker, "answer", JSON.stringify({ Version: "1.3", Sid: sid, Answer: description }));
}

async function untilWaiting(broker: BrokerProcess, count: number): Promise<void> {
  const end = performance.now() + 5000;
  for (;;) {
    const text = await fetch(`${broker.url}debug`).then((response) => response.text());
    if (text.startsWith(`current snowflakes available: ${count}\n`)) return;
    if (performance.now() > end) throw new Error(`never ${count} waiting: ${text}`);
  }
}

const files = temporaryDirectory();
afterAll(() => files[Symbol.dispose]());

function file(name: string, text: string): string {
  const path = join(mkdtempSync(join(files.path, "own-")), name);
  writeFileSync(path, text);
  return path;
}

describe("SIGTERM", () => {
  test("under load: clients in flight get their answers, waiting proxies go home, exit 0", async () => {
    await using broker = await BrokerProcess.start();
    const sids = Array.from({ length: 50 }, (_, i) => `s${i}`);
    const polls = sids.map((sid, i) => poll(broker, sid, `192.0.2.${i}`));
    await untilWaiting(broker, 50);
    const offers = sids.map((_, i) => offer(broker, `o${i}`));
    await Promise.all(polls);
    const waiting = Array.from({ length: 20 }, (_, i) => poll(broker, `w${i}`, `203.0.113.${i}`));
    await untilWaiting(broker, 70);

    broker.signal("SIGTERM");
    for (const response of await Promise.all(waiting)) {
      expect(response).toStartWith('{"Status":"no match"');
    }
    // The answers come after the signal, some on connections that are yet to be made.
    for (const response of await Promise.all(sids.map((sid) => answer(broker, sid)))) {
      expect(response).toBe('{"Status":"success"}');
    }
    const answers = await Promise.all(offers);
    for (const response of answers) expect(response).toContain("a=candidate s");
    expect(new Set(answers).size).toBe(50);
    expect(await broker.exited).toBe(0);
  });

  test("when idle: exits at once", async () => {
    await using broker = await BrokerProcess.start();
    broker.signal("SIGTERM");
    expect(await broker.exited).toBe(0);
    expect(broker.log).toContain("stopped");
  });

  test("twice: does not wait for a match in flight", async () => {
    await using broker = await BrokerProcess.start();
    const polled = poll(broker, "s");
    await untilWaiting(broker, 1);
    const cutOff = offer(broker, "o").catch(() => "cut off");
    await polled;
    broker.signal("SIGTERM");
    await broker.logged("finishing matches in flight");
    const first = performance.now();
    const exits: number[] = [];
    void broker.exited.then((code) => exits.push(code));
    // Within a second of the first it is the same signal, heard twice.
    await untilHolds("stopped at once", async () => {
      broker.signal("SIGTERM");
      return exits.length > 0;
    });
    expect(exits).toEqual([1]);
    expect(performance.now() - first).toBeWithin(900, 4_000);
    expect(await cutOff).toBe("cut off");
  });
});

describe("SIGHUP", () => {
  const list = (url: string) =>
    `{"displayName":"d","webSocketAddress":"${url}","fingerprint":"${FINGERPRINT}"}\n`;

  test("reloads the files wholly, or not at all, and never ends the process", async () => {
    const bridges = file("bridges", list("wss://one.example/"));
    const intervals = file("intervals", '{"open_poll_interval":30000}');
    await using broker = await BrokerProcess.start(
      "--policy=reference",
      `--bridge-list-path=${bridges}`,
      `--poll-interval-filepath=${intervals}`,
    );
    const matched = async (sid: string) => {
      const polled = poll(broker, sid, `192.0.2.${sid}`);
      await untilWaiting(broker, 1);
      const offered = offer(broker, "o");
      const response = await polled;
      await answer(broker, sid);
      await offered;
      return response;
    };
    expect(await matched("1")).toMatch(/"NextPoll":29\d{3},"RelayURL":"wss:\/\/one\.example\/"/);

    writeFileSync(bridges, list("wss://two.example/"));
    writeFileSync(intervals, '{"open_poll_interval":-1}');
    broker.signal("SIGHUP");
    await broker.logged("nothing is changed");
    expect(await matched("2")).toMatch(/"NextPoll":29\d{3},"RelayURL":"wss:\/\/one\.example\/"/);

    writeFileSync(intervals, '{"open_poll_interval":40000}');
    broker.signal("SIGHUP");
    await broker.logged("configuration reloaded");
    expect(await matched("3")).toMatch(/"NextPoll":39\d{3},"RelayURL":"wss:\/\/two\.example\/"/);
  });
});

describe("a start that fails", () => {
  test.each([
    ["an unknown flag", ["--colour=red"], 2, "colour"],
    ["a bad value", ["--trusted-hops=many"], 2, "many"],
    ["no transport", [], 2, "--disable-tls"],
    ["a missing bridge list", ["--disable-tls", "--bridge-list-path=/nowhere"], 1, "/nowhere"],
    [
      "a bad bridge list",
      ["--disable-tls", `--bridge-list-path=${file("b", "{}\n")}`],
      1,
      "line 1",
    ],
    [
      "a missing poll interval file",
      ["--disable-tls", "--poll-interval-filepath=/nowhere"],
      1,
      "/nowhere",
    ],
    ["a missing certificate", ["--cert=/nowhere", "--key=/nowhere"], 1, "/nowhere"],
    [
      "a bad certificate",
      [`--cert=${file("c", "x")}`, `--key=${file("k", "y")}`, "--addr=127.0.0.1:0"],
      1,
      "certificate",
    ],
    ["an address that is not ours", ["--disable-tls", "--addr=192.0.2.1:1"], 1, "listen"],
  ] as const)("%s: one line and its exit code", async (_, args, code, word) => {
    const { stdout, stderr, exitCode } = await runBroker(...args);
    expect(exitCode).toBe(code);
    const lines = stderr.split("\n").filter((line) => /^snowflake-broker: | ERROR /.test(line));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(word);
    expect(stdout).toBe("");
  });
});

test("--help, --version and --print-config print and exit 0", async () => {
  expect(await runBroker("--help")).toMatchObject({ exitCode: 0, stderr: "" });
  const { stdout } = await runBroker("--version");
  expect(stdout).toMatch(/^snowflake-broker \d+\.\d+\.\d+ \(Bun /);
  const config = await runBroker("--disable-tls", "--addr=:1234", "--print-config");
  expect(config.stdout).toContain("--addr=:1234");
});

test("no address of a peer reaches the log at any level", async () => {
  await using broker = await BrokerProcess.start("--log-level=debug");
  await post(broker, "proxy", "garbage", "198.51.100.77");
  await post(broker, "client", "1.0\n{}", "198.51.100.77");
  broker.signal("SIGTERM");
  expect(await broker.exited).toBe(0);
  expect(broker.log).not.toContain("198.51.100.77");
  expect(broker.log).not.toContain("127.0.0.1");
});
