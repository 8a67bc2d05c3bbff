import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { basename } from "node:path";

import { argumentsOf, processIds } from "../../src/system/processes.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, runBroker, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { childrenOf, isRunning } from "../kit/process-tree.ts";

/** Longer than a worker may be silent and its successor takes to start, in ms. */
const UNTIL_REPLACED = 20_000;

const runtimeDirectory = process.env["RUNTIME_DIRECTORY"];

let stage: AsyncDisposableStack;
let runtime: TemporaryDirectory;

beforeEach(() => {
  stage = new AsyncDisposableStack();
  runtime = stage.use(temporaryDirectory());
  process.env["RUNTIME_DIRECTORY"] = runtime.path;
});
afterEach(async () => {
  if (runtimeDirectory === undefined) delete process.env["RUNTIME_DIRECTORY"];
  else process.env["RUNTIME_DIRECTORY"] = runtimeDirectory;
  await stage.disposeAsync();
});

function command(addr: string): string[] {
  return ["--workers=2", `--addr=${addr}`, "--disable-tls", "--disable-geoip"];
}

async function start(addr: string): Promise<BrokerProcess> {
  const broker = stage.use(await BrokerProcess.startRole(...command(addr)));
  await untilHolds("both listen", async () => broker.log.split("listening on ").length === 3);
  return broker;
}

/** The workers of this test that run, whoever their parent is: the path of their socket shows them. */
function workers(): number[] {
  const directory = `${basename(runtime.path)}/snowflake-`;
  return processIds().filter(
    (pid) => isRunning(pid) && argumentsOf(pid).some((argument) => argument.includes(directory)),
  );
}

/** A poll of the proxy of that number, which has an address of its own. */
function poll(url: string, n: number): Promise<string> {
  const body = `{"Sid":"s${n}","Version":"1.3","NAT":"open","AcceptedRelayPattern":"$"}`;
  const headers = { "X-Forwarded-For": `192.0.2.${n}` };
  const request = { method: "POST", body, headers, keepalive: false };
  return fetch(`${url}proxy`, request).then((response) => response.text());
}

describe("a start of workers that can't succeed ends", () => {
  async function fails(addr: string, why: string): Promise<void> {
    const { stderr, exitCode } = await runBroker(...command(addr));
    const errors = stderr.split("\n").filter((line) => / (ERROR|WARN) /.test(line));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(why);
    expect(exitCode).toBe(1);
  }

  test.each([false, true])("if the port is taken; by other workers: %p", async (byWorkers) => {
    const port = freePort();
    const addr = `127.0.0.1:${port}`;
    if (byWorkers) await start(addr);
    else {
      stage.use(await BrokerProcess.startRole(`--addr=${addr}`, "--disable-tls"));
    }
    const before = { workers: workers(), files: readdirSync(runtime.path) };
    await fails(addr, `port ${port} is in use by process `);
    expect({ workers: workers(), files: readdirSync(runtime.path) }).toEqual(before);
  });

  test("if the address is no one of this machine", async () => {
    await fails("192.0.2.1:1", "cannot listen: ");
    expect({ workers: workers(), files: readdirSync(runtime.path) }).toEqual({
      workers: [],
      files: [],
    });
  });

  test("for all but one of those that start together on a port", async () => {
    const addr = `127.0.0.1:${freePort()}`;
    const started = await Promise.allSettled([start(addr), start(addr), start(addr)]);
    const errors = started.flatMap((it) => (it.status === "rejected" ? [String(it.reason)] : []));
    for (const error of errors) expect(error).toContain("is in use by process ");
    expect(errors).toHaveLength(2);
    expect(workers()).toHaveLength(2);
    expect(readdirSync(runtime.path)).toHaveLength(1);
  });
});

test("a worker that is frozen is replaced, and counted", async () => {
  const broker = await start(`127.0.0.1:${freePort()}`);
  const [frozen, other] = childrenOf(broker.pid);
  if (frozen === undefined) throw new Error("no worker");
  process.kill(frozen, "SIGSTOP");
  const line = await broker.logged("no sign of life", UNTIL_REPLACED);
  expect(line).toMatch(/ WARN worker [12]: .*; started again in 200 ms$/);
  await untilHolds("a third", async () => broker.log.split("listening on ").length === 4);
  const now = childrenOf(broker.pid);
  expect(now).toHaveLength(2);
  expect(now).toContain(Number(other));
  expect(now).not.toContain(frozen);
  const figures = await fetch(`${broker.url}prometheus`).then((response) => response.text());
  expect(figures).toContain("snowflake_worker_restarts_total 1");
});

test("kill -9 of their parent ends workers that have peers waiting", async () => {
  const broker = await start(`127.0.0.1:${freePort()}`);
  const polls = Array.from({ length: 10 }, (_, i) => poll(broker.url, i).catch(() => "cut"));
  await untilHolds("they wait", async () => {
    const page = await fetch(`${broker.url}debug`).then((response) => response.text());
    return page.startsWith("current snowflakes available: 10\n");
  });
  broker.signal("SIGKILL");
  await broker.exited;
  await untilHolds("end of the workers", async () => workers().length === 0);
  await Promise.all(polls);
});
