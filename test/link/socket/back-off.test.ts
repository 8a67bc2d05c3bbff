import { expect, test } from "bun:test";

import { BackOff } from "../../../src/link/socket/back-off.ts";

function waits(random: number, count: number): number[] {
  const backOff = new BackOff(() => random);
  return Array.from({ length: count }, () => backOff.next());
}

test("waits double up to a second, spread over their upper half", () => {
  expect(waits(0, 9)).toEqual([10, 20, 40, 80, 160, 320, 500, 500, 500]);
  const longest = waits(1 - Number.EPSILON, 9);
  for (const [i, wait] of waits(0, 9).entries()) expect(longest[i]).toBeCloseTo(2 * wait, 6);
});

test("after a success they begin anew", () => {
  const backOff = new BackOff(() => 0);
  for (let i = 0; i < 5; i++) backOff.next();
  backOff.reset();
  expect(backOff.next()).toBe(10);
});
