import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { BrokerProcess } from "../kit/broker-process.ts";

/** Seconds of watching. */
const WATCH = 4;

/** How often the first thread of a process has gone to sleep, and so has woken up. */
function sleeps(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]);
}

test("a process that nobody asks anything hardly wakes up", async () => {
  await using broker = await BrokerProcess.start();
  expect((await fetch(`${broker.url}robots.txt`, { keepalive: false })).status).toBe(200);
  // What follows work, such as collecting garbage, has had its time.
  await Bun.sleep(3_000);
  const before = sleeps(broker.pid);
  await Bun.sleep(WATCH * 1_000);
  expect(sleeps(broker.pid) - before).toBeLessThan(10 * WATCH);
});
