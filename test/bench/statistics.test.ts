import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { median, percentile } from "../../bench/statistics.ts";

const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });

describe("percentile", () => {
  const tens = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

  test.each([
    [0, 10],
    [10, 10],
    [11, 20],
    [50, 50],
    [51, 60],
    [90, 90],
    [99, 100],
    [100, 100],
  ])("%d %% of ten values", (percent, expected) => {
    expect(percentile(tens, percent)).toBe(expected);
  });

  test("of one value", () => {
    expect(percentile([7], 50)).toBe(7);
    expect(percentile([7], 99)).toBe(7);
  });

  test("of none", () => {
    expect(percentile([], 50)).toBeNaN();
  });

  test("is a value that so many do not exceed, and no smaller value is", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (unsorted, percent) => {
        const sorted = unsorted.toSorted((a, b) => a - b);
        const result = percentile(sorted, percent);
        const needed = (percent / 100) * sorted.length;
        expect(sorted).toContain(result);
        expect(sorted.filter((value) => value <= result).length).toBeGreaterThanOrEqual(needed);
        expect(sorted.filter((value) => value < result).length).toBeLessThan(needed);
      }),
    );
  });
});

describe("median", () => {
  test.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 2, 2], 2],
  ])("%j", (unsorted, expected) => {
    expect(median(unsorted)).toBe(expected);
  });

  test("of none", () => {
    expect(median([])).toBeNaN();
  });
});
