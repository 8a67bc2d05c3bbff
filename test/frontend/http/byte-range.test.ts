import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { parseByteRange } from "../../../src/frontend/http/byte-range.ts";

const whole = { kind: "whole" } as const;
const unsatisfiable = { kind: "unsatisfiable" } as const;
const part = (first: number, last: number) => ({ kind: "part", first, last }) as const;

describe("of ten bytes", () => {
  test.each([
    [undefined, whole],
    ["bytes=0-0", part(0, 0)],
    ["bytes=2-4", part(2, 4)],
    ["bytes=02-4", part(2, 4)],
    ["BYTES=2-4", part(2, 4)],
    [" bytes=2-4 ", part(2, 4)],
    ["bytes=9-9", part(9, 9)],
    ["bytes=3-", part(3, 9)],
    ["bytes=0-", part(0, 9)],
    ["bytes=3-99", part(3, 9)],
    ["bytes=3-99999999999999999999999", part(3, 9)],
    ["bytes=-1", part(9, 9)],
    ["bytes=-10", part(0, 9)],
    ["bytes=-11", part(0, 9)],
    ["bytes=-0", unsatisfiable],
    ["bytes=10-", unsatisfiable],
    ["bytes=10-10", unsatisfiable],
    ["bytes=99999999999999999999999-", unsatisfiable],
    ["bytes=4-2", whole],
    ["bytes=12-11", whole],
    ["bytes=0-1,3-4", whole],
    ["bytes=0-1,", whole],
    ["bytes=-", whole],
    ["bytes=", whole],
    ["bytes=a-b", whole],
    ["bytes=1 - 2", whole],
    ["bytes=--1", whole],
    ["bytes=1.5-2", whole],
    ["bytes 1-2", whole],
    ["items=1-2", whole],
    ["", whole],
  ])("%j", (header, wanted) => {
    expect(parseByteRange(header, 10)).toEqual(wanted);
  });
});

test.each([
  ["bytes=0-", unsatisfiable],
  ["bytes=0-0", unsatisfiable],
  ["bytes=-1", whole],
  ["bytes=-0", unsatisfiable],
])("of nothing, %s", (header, wanted) => {
  expect(parseByteRange(header, 0)).toEqual(wanted);
});

test("a part is what slicing gives", () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);
  fc.assert(
    fc.property(fc.nat(20), fc.nat(25), fc.nat(25), (size, a, b) => {
      const given = bytes.subarray(0, size);
      const sent = (header: string): Uint8Array | undefined => {
        const wanted = parseByteRange(header, size);
        return wanted.kind === "part" ? given.subarray(wanted.first, wanted.last + 1) : undefined;
      };
      const expected = (slice: Uint8Array) => (slice.length > 0 ? slice : undefined);
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      expect(sent(`bytes=${first}-${last}`)).toEqual(expected(given.subarray(first, last + 1)));
      expect(sent(`bytes=${a}-`)).toEqual(expected(given.subarray(a)));
      expect(sent(`bytes=-${a}`)).toEqual(
        expected(a === 0 ? bytes.subarray(0, 0) : given.subarray(-a)),
      );
    }),
  );
});

test("no text leads out of the file", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."0129-,= ") }).map((rest) => `bytes=${rest}`),
  );
  fc.assert(
    fc.property(text, fc.nat(), (header, size) => {
      const wanted = parseByteRange(header, size);
      if (wanted.kind !== "part") return;
      expect(wanted.first).toBeGreaterThanOrEqual(0);
      expect(wanted.last).toBeGreaterThanOrEqual(wanted.first);
      expect(wanted.last).toBeLessThan(size);
    }),
  );
});
