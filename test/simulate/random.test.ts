import { describe, expect, test } from "bun:test";

import { fixedChance, Random } from "../../src/simulate/random.ts";

const draw = (random: Random, n: number) => Array.from({ length: n }, () => random.next());

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("a stream", () => {
  test("is the same for the same seed, and differs by seed, stream and index", () => {
    const first = draw(new Random(7, 1, 2), 10);
    expect(draw(new Random(7, 1, 2), 10)).toEqual(first);
    for (const other of [new Random(8, 1, 2), new Random(7, 2, 2), new Random(7, 1, 3)]) {
      expect(draw(other, 10)).not.toEqual(first);
    }
  });

  test("is uniform, also over the first numbers of many streams", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => new Random(1, 1, index).next());
    for (const values of [draw(new Random(1), 20_000), many]) {
      expect(mean(values)).toBeWithin(0.49, 0.51);
      expect(mean(values.map((x) => x * x))).toBeWithin(0.323, 0.343);
    }
  });

  test("draws from the distributions that it names", () => {
    const random = new Random(3);
    const times = (n: number, make: () => number) => mean(Array.from({ length: n }, make));
    expect(times(20_000, () => random.exponential(5))).toBeWithin(4.85, 5.15);
    expect(times(20_000, () => random.between(2, 4))).toBeWithin(2.97, 3.03);
    expect(times(20_000, () => (random.chance(0.3) ? 1 : 0))).toBeWithin(0.28, 0.32);
    const entries = [{ weight: 1 }, { weight: 0 }, { weight: 3 }];
    const picked = Array.from({ length: 20_000 }, () => entries.indexOf(random.pick(entries)));
    expect(mean(picked.map((index) => (index === 2 ? 1 : 0)))).toBeWithin(0.73, 0.77);
    expect(picked).not.toContain(1);
    expect(() => random.pick([])).toThrow("nothing to pick");
  });
});

test("a fixed chance depends on its numbers and on nothing else", () => {
  expect(fixedChance(1, 2, 3)).toBe(fixedChance(1, 2, 3));
  const chances = Array.from({ length: 10_000 }, (_, i) => fixedChance(1, i, 10_000 - i));
  expect(mean(chances)).toBeWithin(0.48, 0.52);
});
