import { expect, test } from "bun:test";

import fc from "fast-check";

import { RoundedHistogram } from "../../../src/metrics/prometheus/rounded-histogram.ts";

const BOUNDS = [0.5, 1, 2, 5];

function histogram() {
  const made = new RoundedHistogram({ name: "h", help: "h", buckets: BOUNDS, registers: [] });
  const durations = made.child({});
  const read = async () => {
    const { values } = await made.get();
    const of = (name: string) => values.filter((sample) => sample.metricName === name);
    return {
      buckets: of("h_bucket").map((sample) => sample.value),
      count: of("h_count")[0]?.value,
      sum: of("h_sum")[0]?.value,
    };
  };
  return { durations, read };
}

test("a duration is in the bucket whose bound it does not exceed", async () => {
  const { durations, read } = histogram();
  for (const [seconds, times] of [
    [0.5, 8],
    [0.500001, 16],
    [5, 24],
    [5.1, 32],
  ] as const) {
    for (let n = 0; n < times; n++) durations.observe(seconds);
  }
  expect(await read()).toEqual({ buckets: [8, 24, 24, 48, 80], count: 80, sum: 296 });
});

test("rounded buckets are cumulative, none is below what is in it, and nothing ever falls", async () => {
  const seconds = fc.oneof(
    fc.constantFrom(0, ...BOUNDS),
    fc.double({ min: 0, max: 9, noNaN: true }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(seconds, { maxLength: 40 }), { maxLength: 4 }),
      async (rounds) => {
        const { durations, read } = histogram();
        const observed: number[] = [];
        let before = await read();
        for (const round of rounds) {
          for (const duration of round) durations.observe(duration);
          observed.push(...round);
          const now = await read();
          const exact = [...BOUNDS, Infinity].map(
            (bound) => observed.filter((s) => s <= bound).length,
          );
          expect(now.buckets).toEqual(exact.map((count) => 8 * Math.ceil(count / 8)));
          expect(now.buckets).toEqual(now.buckets.toSorted((a, b) => a - b));
          expect(now.count).toBe(now.buckets.at(-1));
          expect(now.sum).toBeGreaterThanOrEqual(before.sum ?? 0);
          expect(now.sum).toBe(Math.ceil(observed.reduce((sum, s) => sum + s, 0)));
          expect(now.buckets.every((count, n) => count >= (before.buckets[n] ?? 0))).toBe(true);
          before = now;
        }
      },
    ),
  );
});
