import { expect, test } from "bun:test";

import fc from "fast-check";

import { RecentMessages } from "../../../src/frontend/sqs/recent-messages.ts";

test("an id is known until its time is over, however often it comes", () => {
  const recent = new RecentMessages(10, 60_000);
  expect(recent.note("a", 0)).toBe(true);
  expect(recent.note("a", 30_000)).toBe(false);
  expect(recent.note("b", 30_000)).toBe(true);
  expect(recent.note("a", 59_999)).toBe(false);
  expect(recent.note("a", 60_000)).toBe(true);
  expect(recent.note("b", 60_000)).toBe(false);
});

test("the oldest goes first when there are too many", () => {
  const recent = new RecentMessages(2, 60_000);
  for (const id of ["a", "b", "c"]) expect(recent.note(id, 0)).toBe(true);
  expect(recent.note("c", 0)).toBe(false);
  expect(recent.note("b", 0)).toBe(false);
  expect(recent.note("a", 0)).toBe(true);
  expect(recent.size).toBe(2);
});

test("never more than the limit, never an id twice within its time unless the limit forced it out", () => {
  const steps = fc.array(
    fc.record({ id: fc.integer({ min: 0, max: 12 }), wait: fc.integer({ min: 0, max: 40 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), steps, (limit, sequence) => {
      const recent = new RecentMessages(limit, 100);
      let known: Array<{ readonly id: number; readonly at: number }> = [];
      let now = 0;
      for (const { id, wait } of sequence) {
        now += wait;
        known = known.filter(({ at }) => now - at < 100);
        const isNew = !known.some((one) => one.id === id);
        if (isNew) known = [...known, { id, at: now }].slice(-limit);
        expect(recent.note(id.toString(), now)).toBe(isNew);
        expect(recent.size).toBe(known.length);
      }
    }),
  );
});

test("a message costs the same after the first ones are forgotten", () => {
  const recent = new RecentMessages(100_000, 1_000);
  let n = 0;
  const notes = (count: number): number => {
    const start = performance.now();
    for (let i = 0; i < count; i++) recent.note(String(n++), n / 20);
    return ((performance.now() - start) * 1_000) / count;
  };
  const before = notes(15_000);
  notes(30_000);
  expect(notes(15_000)).toBeLessThan(10 * before + 2);
});
