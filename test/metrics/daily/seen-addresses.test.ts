import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { SeenAddresses } from "../../../src/metrics/daily/seen-addresses.ts";

const MB = 1_000_000;

/** Keys as a hash gives them: 53 bits, none twice. */
function spreadKey(i: number): number {
  return Number(BigInt.asUintN(53, BigInt(i) * 0x9e3779b97f4a7c15n));
}

describe("addresses", () => {
  test("a mask gathers the bits of an address", () => {
    const seen = new SeenAddresses(10);
    expect(seen.add(7, 0b001)).toBe(0);
    expect(seen.add(7, 0b100)).toBe(0b001);
    expect(seen.add(7, 0b100)).toBe(0b101);
    expect(seen.add(8, 0b100)).toBe(0);
  });

  test("what a Map would tell is told, growing and full", () => {
    // Many keys that begin in the same slot, and the smallest and largest there are.
    const key = fc.oneof(
      fc.nat(40).map((i) => i * 2 ** 32),
      fc.nat(2000),
      fc.constantFrom(0, 1, 2 ** 53 - 1),
      fc.maxSafeNat(),
    );
    const addition = fc.record({ key, bits: fc.integer({ min: 1, max: 0xffff }) });
    const additions = fc.array(addition, { maxLength: 3000, size: "max" });
    fc.assert(
      fc.property(additions, fc.nat(2500), (list, maxEntries) => {
        const seen = new SeenAddresses(maxEntries);
        const masks = new Map<number, number>();
        for (const { key: k, bits } of list) {
          const before = masks.get(k) ?? (masks.size < maxEntries ? 0 : undefined);
          expect(seen.add(k, bits)).toBe(before);
          if (before !== undefined) masks.set(k, before | bits);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("all are forgotten", () => {
    const seen = new SeenAddresses(3000);
    for (let i = 0; i < 3000; i++) seen.add(spreadKey(i), 1);
    expect(seen.add(spreadKey(3000), 1)).toBeUndefined();
    seen.clear();
    for (let i = 0; i < 3000; i++) expect(seen.add(spreadKey(i), 1)).toBe(0);
    expect(seen.add(spreadKey(3000), 1)).toBeUndefined();
  });

  test("a million take less than 80 MB, the time of growing included", () => {
    const seen = new SeenAddresses(2_000_000);
    let most = 0;
    let before = seen.byteLength;
    for (let i = 0; i < 1_000_000; i++) {
      seen.add(spreadKey(i), 1);
      if (seen.byteLength === before) continue;
      most = Math.max(most, before + seen.byteLength);
      before = seen.byteLength;
    }
    expect(seen.add(spreadKey(999_999), 1)).toBe(1);
    expect(seen.byteLength).toBeGreaterThan(1_000_000 * 10);
    expect(most).toBeLessThan(80 * MB);
    seen.clear();
    expect(seen.byteLength).toBeLessThan(0.1 * MB);
  });
});
