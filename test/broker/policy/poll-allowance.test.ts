import { expect, test } from "bun:test";

import fc from "fast-check";

import { PollAllowance } from "../../../src/broker/policy/poll-allowance.ts";

test("it agrees with a table that never forgets, whatever becomes of the interval", () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 20 }),
    wait: fc.integer({ min: 0, max: 30 }),
    interval: fc.constantFrom(1, 10, 50, 1_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const allowance = new PollAllowance(10, 1_000);
      const model = new Map<number, number>();
      let now = 0;
      for (const { key, wait, interval } of steps) {
        now += wait;
        allowance.interval = interval;
        const at = model.get(key) ?? -1;
        expect(allowance.mustWaitUntil(key, now)).toBe(at >= now ? at : undefined);
        allowance.note(key, now);
        model.set(key, now + interval);
      }
    }),
  );
});

test("entries of a long interval do not keep those of a short one from being forgotten", () => {
  const allowance = new PollAllowance(3_600_000, 1_000_000);
  for (let key = 0; key < 1_000; key++) allowance.note(key, 0);
  allowance.interval = 20_000;
  let now = 0;
  for (let key = 1_000; key < 200_000; key++) allowance.note(key, (now += 1));
  // 1,000 entries of the hour and 20,000 of the last 20 s still count.
  expect(allowance.size).toBeLessThan(2 * 21_000 + 10);
});

test("what a proxy is told counts if it is less than the interval, and so does the interval of the moment", () => {
  const allowance = new PollAllowance(100, 10);
  allowance.note(1, 0, 60);
  expect(allowance.mustWaitUntil(1, 50)).toBe(60);
  expect(allowance.mustWaitUntil(1, 50, 70)).toBe(60);
  expect(allowance.mustWaitUntil(1, 50, 55)).toBe(55);
  expect(allowance.mustWaitUntil(1, 50, 40)).toBeUndefined();
  allowance.note(2, 0, 300);
  expect(allowance.mustWaitUntil(2, 50)).toBe(100);
});

test("a full table leaves new addresses unnoted, and known ones are noted again", () => {
  const allowance = new PollAllowance(100, 2);
  allowance.note(1, 0);
  allowance.note(2, 0);
  allowance.note(3, 0);
  expect(allowance.mustWaitUntil(3, 1)).toBeUndefined();
  allowance.note(1, 50);
  expect(allowance.mustWaitUntil(1, 120)).toBe(150);
});

test("a poll costs the same after the first entries have expired", () => {
  const allowance = new PollAllowance(20_000, 1_000_000);
  let key = 0;
  /** Polls from new addresses, 5,000 a second; returns the least that one costs in µs, of a thousand in a row. */
  const polls = (count: number): number => {
    let least = Infinity;
    for (let done = 0; done < count; done += 1_000) {
      const start = performance.now();
      for (let i = 0; i < 1_000; i++) {
        key++;
        allowance.mustWaitUntil(key, key / 5);
        allowance.note(key, key / 5);
      }
      least = Math.min(least, performance.now() - start);
    }
    return least;
  };
  const before = polls(90_000);
  // For a minute and a bit.
  polls(200_000);
  const after = polls(90_000);
  expect(after).toBeLessThan(10 * before + 1);
});
