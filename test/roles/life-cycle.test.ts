import { expect, test } from "bun:test";

import { LifeCycle } from "../../src/roles/life-cycle.ts";

function lived(drain: () => Promise<void>) {
  const exits: number[] = [];
  const reports: string[] = [];
  const time = { now: 0 };
  const lifeCycle = new LifeCycle({
    drain,
    now: () => time.now,
    exit: (code) => exits.push(code),
    report: (message) => reports.push(message),
  });
  return { lifeCycle, exits, reports, time };
}

test("it goes from starting over ready and draining to stopped, and exits once", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { lifeCycle, exits, reports } = lived(() => promise);
  expect(lifeCycle.phase).toBe("starting");
  lifeCycle.ready();
  expect(lifeCycle.phase).toBe("ready");
  const stopped = lifeCycle.stop("SIGTERM");
  expect(lifeCycle.phase).toBe("draining");
  lifeCycle.ready();
  expect(lifeCycle.phase).toBe("draining");
  resolve();
  await stopped;
  expect(lifeCycle.phase).toBe("stopped");
  expect(exits).toEqual([0]);
  expect(reports).toEqual(["SIGTERM: finishing matches in flight", "stopped"]);
});

test("a second stop does not wait for the drain", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { lifeCycle, exits, time } = lived(() => promise);
  lifeCycle.ready();
  const first = lifeCycle.stop("SIGTERM");
  time.now = 1_000;
  await lifeCycle.stop("SIGINT");
  expect(exits).toEqual([1]);
  resolve();
  await first;
  expect(exits).toEqual([1]);
});

test("a drain that fails still ends, and says so", async () => {
  const { lifeCycle, exits, reports } = lived(() => Promise.reject(new Error("no")));
  lifeCycle.ready();
  await lifeCycle.stop("SIGTERM");
  expect(exits).toEqual([1]);
  expect(reports).toContain("draining failed: Error: no");
});

test("signals within a second are one signal, whoever else heard it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { lifeCycle, exits, time } = lived(() => promise);
  lifeCycle.ready();
  const first = lifeCycle.stop("SIGINT");
  time.now = 999;
  await lifeCycle.stop("SIGINT");
  expect(exits).toEqual([]);
  resolve();
  await first;
  expect(exits).toEqual([0]);
});
