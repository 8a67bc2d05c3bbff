import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { brokerCommand, BrokerProcess } from "./broker-process.ts";
import { childrenOf, isRunning } from "./process-tree.ts";
import { ServerProcess } from "./server-process.ts";

const LAUNCHER = join(import.meta.dir, "../../bin/snowflake-broker.js");
const ARGUMENTS = ["--disable-tls", "--addr=127.0.0.1:0", "--disable-geoip"];

/** A command with which this process could have been started, as `brokerCommand` gives one. */
function commandOf(pid: number): string[] {
  const words = (file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
  const memory = words("environ").filter((word) => word.startsWith("MIMALLOC_"));
  return ["env", ...memory, ...words("cmdline").slice(0, -1)];
}

test("tests start the broker as the launcher does", async () => {
  const launcher = new ServerProcess(["node", LAUNCHER, ...ARGUMENTS]);
  try {
    await launcher.logged("listening on");
    // A launcher that became the broker has no child.
    const [broker = launcher.pid] = childrenOf(launcher.pid);
    expect(commandOf(broker)).toEqual(brokerCommand(...ARGUMENTS));
  } finally {
    await launcher.stop();
  }
});

test("a broker ends with the process that started it, even by SIGKILL", async () => {
  const script = `
    const { BrokerProcess } = await import(${JSON.stringify(join(import.meta.dir, "broker-process.ts"))});
    console.error("broker " + (await BrokerProcess.start()).pid);
    await Bun.sleep(60_000);`;
  const starter = new ServerProcess([process.execPath, "-e", script]);
  const line = await starter.logged(/^broker \d+$/);
  const pid = Number(line.split(" ")[1]);
  expect(isRunning(pid)).toBe(true);
  await starter[Symbol.asyncDispose]();
  for (const end = performance.now() + 5_000; isRunning(pid) && performance.now() < end;) {
    await Bun.sleep(5);
  }
  expect(isRunning(pid)).toBe(false);
});

test("a broker that does not start says why", async () => {
  const reason = await BrokerProcess.start("--addr=127.0.0.1:x").catch(String);
  expect(reason).toContain("it exited; so far: ");
  expect(reason).toContain("--addr");
});
