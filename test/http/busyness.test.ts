import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { Busyness, readProcessorTimes } from "../../src/http/busyness.ts";

test.each([
  ["nothing", 1_000, 0, 0, false],
  ["a little work", 1_000, 300, 0, false],
  ["much work", 1_000, 600, 0, true],
  ["much waiting for a processor that others have", 1_000, 100, 700, true],
  ["some of both", 1_000, 300, 300, true],
  ["little of both", 1_000, 200, 200, false],
  ["a look that comes late", 1_200, 0, 0, true],
])("%s", (_, elapsed, ran, waited, isBusy) => {
  const busyness = new Busyness(5_000, { ran: 40_000, waited: 9_000 });
  const [now, times] = [5_000 + elapsed, { ran: 40_000 + ran, waited: 9_000 + waited }];
  expect(busyness.look(now, times)).toBe(isBusy);
  // What is over counts no more.
  expect(busyness.look(now + 1_000, times)).toBe(false);
});

test("the system tells how long this process ran, and how long it waited for a processor", () => {
  const before = readProcessorTimes();
  const end = performance.now() + 200;
  while (performance.now() < end);
  const { ran, waited } = readProcessorTimes();
  const used = ran - before.ran + (waited - before.waited);
  expect(used).toBeGreaterThan(150);
  const [, nanoseconds = ""] = readFileSync("/proc/self/schedstat", "latin1").split(" ");
  expect(waited).toBeLessThanOrEqual(Number(nanoseconds) / 1e6);
  expect(waited).toBeGreaterThan(0);
});
