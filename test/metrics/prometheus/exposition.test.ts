import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { formatExposition, formatNumber } from "../../../src/metrics/prometheus/exposition.ts";
import { readExposition, readNumber } from "./exposition-reader.ts";

describe("a number", () => {
  test.each([
    [0, "0"],
    [-0, "0"],
    [8, "8"],
    [-8, "-8"],
    [0.05, "0.05"],
    [1234.5, "1234.5"],
    [999_999, "999999"],
    [1_000_000, "1e+06"],
    [1_000_008, "1.000008e+06"],
    [-1_234_567.5, "-1.2345675e+06"],
    [1_795_355_609, "1.795355609e+09"],
    [1e21, "1e+21"],
    [1e100, "1e+100"],
    [0.0001, "0.0001"],
    [0.000_099, "9.9e-05"],
    [5e-324, "5e-324"],
    [Number.NaN, "NaN"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
  ])("%p is written as Go does: %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test("reads back as it was", () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        // Zero has no sign in the format.
        expect(readNumber(formatNumber(value))).toBe(value + 0);
      }),
    );
  });
});

describe("an exposition", () => {
  const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/);
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "{", "}", ",", "=", " ", "#") }),
  );
  const children = fc
    .uniqueArray(
      name.filter((label) => label !== "le"),
      { maxLength: 4 },
    )
    .chain((labelNames) =>
      fc.uniqueArray(
        fc.record({
          labels: fc
            .tuple(...labelNames.map(() => text))
            .map((values) =>
              Object.fromEntries(labelNames.map((label, n) => [label, values[n] ?? ""])),
            ),
          value: fc.double(),
        }),
        { selector: (child) => JSON.stringify(child.labels), maxLength: 6 },
      ),
    );
  const families = fc.uniqueArray(
    fc.record({ name, help: text, type: fc.constantFrom("counter", "gauge"), values: children }),
    { selector: (family) => family.name, maxLength: 4 },
  );

  test("reads back as it was, whatever names, texts and numbers are in it", () => {
    fc.assert(
      fc.property(families, (written) => {
        const read = readExposition(formatExposition(written));
        const expected = written.filter((family) => family.values.length > 0);
        expect(read.map((family) => family.name)).toEqual(expected.map((f) => f.name).toSorted());
        for (const { name: familyName, help, type, values } of expected) {
          const family = read.find((candidate) => candidate.name === familyName);
          expect(family).toMatchObject({ help, type });
          const samples = values.map(({ labels, value }) => ({
            name: familyName,
            labels,
            value: value + 0,
          }));
          expect(family?.samples).toBeArrayOfSize(samples.length);
          expect(family?.samples).toEqual(expect.arrayContaining(samples));
        }
      }),
    );
  });

  test("has its children sorted by label values, in the order of their labels' names", () => {
    const values = [
      { labels: { z: "1", a: "b" }, value: 1 },
      { labels: { z: "2", a: "" }, value: 2 },
      { labels: { z: "0", a: "b" }, value: 3 },
      { labels: { z: "1", a: "a!" }, value: 4 },
      { labels: { z: "1", a: "a" }, value: 5 },
    ];
    expect(formatExposition([{ name: "f", help: "h", type: "gauge", values }])).toBe(
      [
        "# HELP f h",
        "# TYPE f gauge",
        'f{a="",z="2"} 2',
        'f{a="a",z="1"} 5',
        'f{a="a!",z="1"} 4',
        'f{a="b",z="0"} 3',
        'f{a="b",z="1"} 1',
        "",
      ].join("\n"),
    );
  });

  test("keeps the lines of a histogram's child together and in order, with the bound last", () => {
    const child = (pool: string) => [
      { metricName: "h_bucket", labels: { pool, le: 0.5 }, value: 0 },
      { metricName: "h_bucket", labels: { pool, le: 10 }, value: 8 },
      { metricName: "h_bucket", labels: { pool, le: "+Inf" }, value: 8 },
      { metricName: "h_sum", labels: { pool }, value: 3 },
      { metricName: "h_count", labels: { pool }, value: 8 },
    ];
    const values = [...child("z"), ...child("a")];
    const lines = formatExposition([{ name: "h", help: "", type: "histogram", values }]).split(
      "\n",
    );
    expect(lines.slice(2, 8)).toEqual([
      'h_bucket{pool="a",le="0.5"} 0',
      'h_bucket{pool="a",le="10"} 8',
      'h_bucket{pool="a",le="+Inf"} 8',
      'h_sum{pool="a"} 3',
      'h_count{pool="a"} 8',
      'h_bucket{pool="z",le="0.5"} 0',
    ]);
  });
});
