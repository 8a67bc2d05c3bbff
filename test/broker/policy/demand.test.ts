import { expect, test } from "bun:test";

import { Demand } from "../../../src/broker/policy/demand.ts";

/** A client every so many ms, for so long. */
function demandOf(every: number, duration: number): Demand {
  const demand = new Demand();
  for (let now = every; now <= duration; now += every) demand.offerCame(now);
  return demand;
}

test("the rate of offers is known after some minutes, and forgotten in as many", () => {
  const demand = demandOf(100, 300_000);
  expect(demand.expectedIn(1_000, 300_000)).toBeCloseTo(10, 0);
  expect(demand.expectedIn(1_000, 360_000)).toBeCloseTo(10 / Math.E, 0);
  expect(demand.expectedIn(1_000, 900_000)).toBeLessThan(0.01);
});

test("a pool that nobody asks needs a few proxies", () => {
  expect(new Demand().reserve(32, 20_000, 1_000)).toBe(32);
});

test("the reserve has the offers of one and a half intervals", () => {
  const demand = demandOf(100, 300_000);
  expect(demand.reserve(32, 20_000, 300_000)).toBeCloseTo(32 + 1.5 * 200, -1.2);
  expect(demand.reserve(32, 60_000, 300_000)).toBeCloseTo(32 + 1.5 * 600, -1.2);
});
