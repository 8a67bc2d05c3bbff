import { expect, test } from "bun:test";

import { LifeCycle } from "../src/life-cycle.ts";

function lived(drain: () => Promise<void>) {
  const exits: number[] = [];
  const reports: string[] = [];
  const lifeCycle = new LifeCycle({
    drain,
    exit: (code) => exits.push(code),
    report: (message) => reports.push(message),
  });
  return { lifeCycle, exits, reports };
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
  const { lifeCycle, exits } = lived(() => promise);
  lifeCycle.ready();
  const first = lifeCycle.stop("SIGTERM");
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
