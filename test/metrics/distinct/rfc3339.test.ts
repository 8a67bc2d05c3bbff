import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  formatRfc3339,
  formatRfc3339Seconds,
  parseRfc3339,
} from "../../../src/metrics/distinct/rfc3339.ts";

const time = fc.integer({
  min: Date.parse("0001-01-02T00:00:00Z"),
  max: Date.parse("9999-12-30T00:00:00Z"),
});
const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });

describe("reading", () => {
  test.each([
    ["1970-01-01T00:00:00Z", 0n],
    ["1970-01-01T00:00:00+00:00", 0n],
    ["1970-01-01T02:00:00+02:00", 0n],
    ["1969-12-31T18:30:00-05:30", 0n],
    ["1970-01-01T00:00:00.000000001Z", 1n],
    ["1970-01-01T00:00:00.1Z", 100_000_000n],
    ["1970-01-01T00:00:00.1234567899Z", 123_456_789n],
    ["1969-12-31T23:59:59.999999999Z", -1n],
    ["2026-08-01T14:00:00Z", 1_785_592_800_000_000_000n],
    ["2024-02-29T00:00:00Z", 1_709_164_800_000_000_000n],
    ["2000-02-29T00:00:00Z", 951_782_400_000_000_000n],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000_000_000n],
    ["0000-01-01T00:00:00Z", -62_167_219_200_000_000_000n],
    ["9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999_999n],
  ])("%s", (text, nanoseconds) => {
    expect(parseRfc3339(text)).toBe(nanoseconds);
  });

  test.each([
    "",
    "2026-08-01",
    "2026-08-01T14:00:00",
    "2026-08-01 14:00:00Z",
    "2026-08-01T14:00Z",
    "2026-08-01T4:00:00Z",
    "2026-08-01T24:00:00Z",
    "2026-08-01T14:60:00Z",
    "2026-08-01T14:00:60Z",
    "2026-08-01T14:00:00.Z",
    "2026-08-01T14:00:00+0200",
    "2026-08-01T14:00:00+24:00",
    "2026-08-01T14:00:00+02:60",
    "2026-08-01T14:00:00z",
    "2026-08-01T14:00:00Z\n",
    " 2026-08-01T14:00:00Z",
    "2026-00-01T14:00:00Z",
    "2026-13-01T14:00:00Z",
    "2026-08-00T14:00:00Z",
    "2026-04-31T14:00:00Z",
    "2026-02-29T14:00:00Z",
    "1900-02-29T14:00:00Z",
    "12026-08-01T14:00:00Z",
    "٢٠٢٦-08-01T14:00:00Z",
  ])("%j is refused", (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });

  test("any text gives a time or nothing", () => {
    const near = fc
      .tuple(time, offset, fc.nat(40), fc.string({ maxLength: 3 }))
      .map(([t, o, at, put]) => {
        const text = formatRfc3339(t, o);
        return text.slice(0, at) + put + text.slice(at + put.length);
      });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        expect(["bigint", "undefined"]).toContain(typeof parseRfc3339(text));
      }),
      { numRuns: 1000 },
    );
  });

  test("every digit of the fraction counts down to the nanosecond", () => {
    fc.assert(
      fc.property(time, fc.nat(999_999_999), (t, nanoseconds) => {
        const second = Math.floor(t / 1000);
        const text = formatRfc3339Seconds(t, 0);
        const fraction = String(nanoseconds).padStart(9, "0");
        expect(parseRfc3339(text.replace("Z", `.${fraction}Z`))).toBe(
          BigInt(second) * 1_000_000_000n + BigInt(nanoseconds),
        );
      }),
    );
  });
});

describe("writing", () => {
  test.each([
    [0, 0, "1970-01-01T00:00:00Z"],
    [1, 0, "1970-01-01T00:00:00.001Z"],
    [100, 0, "1970-01-01T00:00:00.1Z"],
    [120, 60, "1970-01-01T01:00:00.12+01:00"],
    [0, -210, "1969-12-31T20:30:00-03:30"],
    [1_785_592_800_000, 120, "2026-08-01T16:00:00+02:00"],
  ])("%d at %d", (t, o, text) => {
    expect(formatRfc3339(t, o)).toBe(text);
  });

  test("whole seconds are rounded down", () => {
    expect(formatRfc3339Seconds(1999, 0)).toBe("1970-01-01T00:00:01Z");
    expect(formatRfc3339Seconds(-1, 0)).toBe("1969-12-31T23:59:59Z");
  });

  test("what is written reads as the same time, in every zone", () => {
    fc.assert(
      fc.property(time, offset, (t, o) => {
        const text = formatRfc3339(t, o);
        expect(text).not.toMatch(/\.\d*0[Z+-]/);
        expect(parseRfc3339(text)).toBe(BigInt(t) * 1_000_000n);
      }),
      { numRuns: 1000 },
    );
  });
});
