import { afterEach, beforeEach, expect, jest, test } from "bun:test";

import { wallClock } from "../../src/tls/wall-clock.ts";

const DAY = 86_400_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test("calls on the date, even one that no timer reaches", () => {
  let calls = 0;
  wallClock.callAt(wallClock.now() + 60 * DAY, () => calls++);
  for (let day = 0; day < 59; day++) jest.advanceTimersByTime(DAY);
  jest.advanceTimersByTime(DAY - 1);
  expect(calls).toBe(0);
  jest.advanceTimersByTime(60_000);
  expect(calls).toBe(1);
  jest.advanceTimersByTime(DAY);
  expect(calls).toBe(1);
});

test("calls soon after a clock that was set forward", () => {
  let calls = 0;
  wallClock.callAt(wallClock.now() + 60 * DAY, () => calls++);
  jest.setSystemTime(Date.now() + 61 * DAY);
  jest.advanceTimersByTime(60_000);
  expect(calls).toBe(1);
});

test("calls at once what is past", () => {
  let calls = 0;
  wallClock.callAt(0, () => calls++);
  expect(calls).toBe(0);
  jest.advanceTimersByTime(1);
  expect(calls).toBe(1);
});

test("calls nobody who has changed their mind", () => {
  let calls = 0;
  const cancel = wallClock.callAt(wallClock.now() + 2 * DAY, () => calls++);
  jest.advanceTimersByTime(DAY);
  cancel();
  jest.advanceTimersByTime(2 * DAY);
  expect(calls).toBe(0);
});
