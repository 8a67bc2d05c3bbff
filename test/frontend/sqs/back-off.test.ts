import { expect, test } from "bun:test";

import fc from "fast-check";

import { BackOff } from "../../../src/frontend/sqs/back-off.ts";

test("pauses double from 1 s to 30 s, and begin anew after a success", () => {
  const backOff = new BackOff(() => 1);
  const pauses = Array.from({ length: 8 }, () => backOff.next());
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  backOff.reset();
  expect(backOff.next()).toBe(1_000);
});

test("a pause is somewhere between half its ceiling and all of it", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (randoms) => {
      const values = randoms.values();
      const backOff = new BackOff(() => values.next().value ?? 0);
      let ceiling = 1_000;
      for (const random of randoms) {
        const pause = backOff.next();
        expect(pause).toBeCloseTo(ceiling * (0.5 + random / 2), 6);
        ceiling = Math.min(ceiling * 2, 30_000);
      }
    }),
  );
});
