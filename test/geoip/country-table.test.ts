import { describe, expect, test } from "bun:test";

import * as fc from "fast-check";

import { type CountryTable, type Family } from "../../src/geoip/country-table.ts";
import vectors from "../vectors/geoip.json";
import { formatIpv6, wordsOfValue } from "./naive-address.ts";
import { parseCountryTable } from "./whole-table.ts";

interface Range {
  readonly low: bigint;
  readonly high: bigint;
  readonly country: string;
}

const IPV4_MAPPED = 0xffff_0000_0000n;

function parse(text: string, family: Family) {
  return parseCountryTable(new TextEncoder().encode(text), family);
}

function load(text: string, family: Family): CountryTable {
  const parsed = parse(text, family);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.table;
}

function findIpv4(table: CountryTable, value: number): string | undefined {
  return table.find(wordsOfValue(IPV4_MAPPED | BigInt(value)));
}

describe("reference files", () => {
  test.each(vectors.files)("$name", ({ geoip, geoip6, loads, error }) => {
    // Where upstream crashes on a blank line, ours skips it.
    const expected = loads || (error ?? "").startsWith("crash");
    expect(parse(geoip, 4).ok && parse(geoip6, 6).ok).toBe(expected);
  });
});

test("a byte order mark, CRLF and blank lines are as an editor may leave them", () => {
  const parsed = parse("\ufeff\r\n1,2,AA\r\n\r\n3,4,BB", 4);
  expect(parsed).toMatchObject({ ok: true, entries: 2 });
});

describe("what is wrong with a file is said with its line", () => {
  const outOfRange = "a decimal number of 32 bits";
  test.each<[Family, string, string]>([
    [4, "1,2", "line 1: not three fields separated by commas"],
    [4, "#\r\n\r\n\n1,2,AA,\n", "line 4: not three fields separated by commas"],
    [4, "1,2,AA\nAA", "line 2: not three fields separated by commas"],
    [4, ",2,AA", `line 1: LOW is not ${outOfRange}`],
    [4, "1,,AA", `line 1: HIGH is not ${outOfRange}`],
    [4, "+1,2,AA", `line 1: LOW is not ${outOfRange}`],
    [4, "1,4294967296,AA", `line 1: HIGH is not ${outOfRange}`],
    [4, `1,${"9".repeat(400)},AA`, `line 1: HIGH is not ${outOfRange}`],
    [6, "1,2,AA", "line 1: LOW is not an IP address"],
    [6, "::1,::2%lo,AA", "line 1: HIGH is not an IP address"],
    [4, "3,4,AA\n1,2,BB", "line 2: LOW is not above the range before"],
    [4, "1,4,AA\n2,3,BB", "line 2: LOW is not above the range before"],
    [4, "1,4,AA\n4,5,BB", "line 2: LOW is not above the range before"],
    [4, "1,4,AA\n5,4,BB", "line 2: HIGH is not above the range before"],
    [6, "::3,::4,AA\n::1,::2,BB", "line 2: LOW is not above the range before"],
    [6, "1::,1::1:0:0,AA\n1::1:0:0,2::,BB", "line 2: LOW is not above the range before"],
    [4, `1,2,${"A".repeat(65)}`, "line 1: country is over 64 bytes long"],
  ])("IPv%i %j", (family, text, error) => {
    expect(parse(text, family)).toEqual({ ok: false, error });
  });

  test("more countries than can be told apart", () => {
    const lines = Array.from({ length: 65_537 }, (_, i) => `${i},${i},${i}`);
    expect(parse(lines.join("\n"), 4)).toEqual({
      ok: false,
      error: "line 65537: more than 65536 different countries",
    });
    const table = load(lines.slice(0, -1).join("\n"), 4);
    expect([0, 65_535, 65_536].map((value) => findIpv4(table, value))).toEqual([
      "0",
      "65535",
      undefined,
    ]);
  });
});

describe("what is read", () => {
  test("a country as it stands: empty, `??`, long, not ASCII, with a return or a hash", () => {
    const long = "A".repeat(64);
    const table = load(`0,0,\n1,1,??\n2,2,${long}\n3,3,Ü\n4,4,AA\r\r\n5,5,#\n6,6,aa\n`, 4);
    expect([0, 1, 2, 3, 4, 5, 6].map((value) => findIpv4(table, value))).toEqual([
      "",
      "??",
      long,
      "Ü",
      "AA\r",
      "#",
      "aa",
    ]);
  });

  test("a country that is not UTF-8, with replacement characters", () => {
    const parsed = parseCountryTable(Uint8Array.of(0x31, 0x2c, 0x31, 0x2c, 0xff, 0xfe), 4);
    expect(parsed.ok && findIpv4(parsed.table, 1)).toBe("\ufffd\ufffd");
  });

  test("leading zeros, and the ends of the number range", () => {
    const table = load(`${"0".repeat(300)},007,AA\n4294967295,4294967295,ZZ`, 4);
    expect([0, 7, 8, 4_294_967_294, 4_294_967_295].map((value) => findIpv4(table, value))).toEqual([
      "AA",
      "AA",
      undefined,
      undefined,
      "ZZ",
    ]);
  });

  test("entries as short as they can be", () => {
    const digits = Array.from({ length: 10 }, (_, i) => i);
    const table = load(digits.map((digit) => `${digit},${digit},`).join("\n"), 4);
    expect(digits.map((digit) => findIpv4(table, digit))).toEqual(digits.map(() => ""));
    expect(parse("::,::,", 6)).toMatchObject({ ok: true, entries: 1 });
  });

  test("a range with LOW above HIGH, which holds nothing and hides nothing", () => {
    const table = load("5,2,AA\n3,4,BB\n", 4);
    expect([2, 3, 4, 5].map((value) => findIpv4(table, value))).toEqual([
      undefined,
      "BB",
      "BB",
      undefined,
    ]);
  });

  test("every part of an IPv6 address counts in comparisons", () => {
    const steps = Array.from({ length: 8 }, (_, i) => 1n << BigInt(112 - 16 * i)).toReversed();
    const lines = steps.map((step, i) => `${formatIpv6(step)},${formatIpv6(step + 5n)},${i}`);
    const table = load(lines.join("\n"), 6);
    for (const [i, step] of steps.entries()) {
      expect(table.find(wordsOfValue(step - 1n))).toBeUndefined();
      expect(table.find(wordsOfValue(step))).toBe(`${i}`);
      expect(table.find(wordsOfValue(step + 5n))).toBe(`${i}`);
      expect(table.find(wordsOfValue(step + 6n))).toBeUndefined();
    }
  });

  test("a line of megabytes costs no more than its length", () => {
    const long = "1".repeat(4_000_000);
    expect(parse(`#${long}\n::1,::2,AA\n`, 6)).toMatchObject({ ok: true, entries: 1 });
    expect(parse(`${long},::2,AA`, 6).ok).toBe(false);
    expect(parse(",".repeat(4_000_000), 4).ok).toBe(false);
  });
});

/** Ranges in ascending order with gaps of 1 (touching) and more, spread over the `bits` of an address. */
function ranges(bits: number): fc.Arbitrary<Range[]> {
  const step = fc.record({
    gap: fc.integer({ min: 1, max: 20 }),
    length: fc.nat(20),
    country: fc.constantFrom("AA", "BB", "CC", "??", ""),
  });
  return fc
    .tuple(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: bits - 12 }))
    .map(([steps, shift]) => {
      let last = -1n;
      return steps.map(({ gap, length, country }) => {
        const low = last + (BigInt(gap - 1) << BigInt(shift)) + 1n;
        const high = low + (BigInt(length) << BigInt(shift));
        last = high;
        return { low, high, country };
      });
    });
}

describe.each([
  { family: 4, bits: 32, base: IPV4_MAPPED, format: String },
  { family: 6, bits: 128, base: 0n, format: formatIpv6 },
] as const)("random IPv$family tables", ({ family, bits, base, format }) => {
  const end = 1n << BigInt(bits);

  test("answer as looking at every range does", () => {
    fc.assert(
      fc.property(ranges(bits), fc.array(fc.bigInt(0n, end - 1n)), (list, others) => {
        const fitting = list.filter(({ high }) => high < end);
        const lines = fitting.map(
          ({ low, high, country }) => `${format(low)},${format(high)},${country}\n`,
        );
        const parsed = parse(lines.join(""), family);
        if (!parsed.ok) throw new Error(parsed.error);
        expect(parsed.entries).toBe(fitting.length);
        const edges = fitting.flatMap(({ low, high }) => [low - 1n, low, high, high + 1n]);
        for (const value of [...edges, ...others]) {
          if (value < 0n || value >= end) continue;
          const holder = fitting.find(({ low, high }) => low <= value && value <= high);
          expect(parsed.table.find(wordsOfValue(base | value))).toBe(holder?.country);
        }
      }),
    );
  });

  test("are refused when two ranges change places", () => {
    fc.assert(
      fc.property(ranges(bits), fc.nat(), (list, place) => {
        const lines = list
          .filter(({ high }) => high < end)
          .map(({ low, high, country }) => `${format(low)},${format(high)},${country}\n`);
        fc.pre(lines.length > 1);
        const at = place % (lines.length - 1);
        lines.splice(at, 2, ...lines.slice(at, at + 2).toReversed());
        expect(parse(lines.join(""), family)).toEqual({
          ok: false,
          error: `line ${at + 2}: LOW is not above the range before`,
        });
      }),
    );
  });

  test("any bytes load or are refused with a line that exists", () => {
    const soup = fc
      .string({ unit: fc.constantFrom("0", "1", "9", "a", ":", ".", ",", ",", "#", "\r", "\n") })
      .map((text) => new TextEncoder().encode(text));
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), soup);
    fc.assert(
      fc.property(bytes, (file) => {
        const parsed = parseCountryTable(file, family);
        if (parsed.ok) return;
        const line = Number(/^line (\d+): /.exec(parsed.error)?.[1]);
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(file.filter((byte) => byte === 0x0a).length + 1);
      }),
      { numRuns: 1000 },
    );
  });
});

test("a file of numbers loads exactly when a reader by split() finds nothing wrong", () => {
  const field = fc.oneof(
    fc.nat(9).map(String),
    fc.constantFrom("", "10", "011", "4294967295", "4294967296", "x", " 1"),
  );
  const line = fc.oneof(
    { arbitrary: fc.tuple(field, field, fc.constantFrom("AA", "")).map(String), weight: 5 },
    fc.constantFrom("", "# x,y", "#", " #", "1,2"),
  );
  const file = fc
    .array(fc.tuple(line, fc.constantFrom("\n", "\r\n")), { maxLength: 6 })
    .map((lines) => lines.flat().join(""));
  fc.assert(
    fc.property(file, (text) => {
      const parsed = parse(text, 4);
      expect(parsed.ok ? parsed.entries : undefined).toBe(countBySplit(text));
    }),
    { numRuns: 2000 },
  );
});

/** The number of entries in an IPv4 file, or undefined if it is bad. */
function countBySplit(text: string): number | undefined {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  const entries = lines.filter((line) => line !== "" && !line.startsWith("#"));
  let last = -1;
  for (const entry of entries) {
    const fields = entry.split(",");
    const numbers = fields.slice(0, 2).map((field) => (/^\d+$/.test(field) ? Number(field) : -1));
    if (fields.length !== 3 || numbers.some((n) => n <= last || n > 0xffffffff)) return undefined;
    last = numbers[1] ?? -1;
  }
  return entries.length;
}
