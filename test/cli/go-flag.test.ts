import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  BOOL,
  DURATION,
  type FlagType,
  type GoFlag,
  INT,
  intAtLeast,
  intBetween,
  oneOf,
  parseGoFlags,
  quote,
  STRING,
} from "../../src/cli/go-flag.ts";

/** A flag that keeps every value it was set to. */
class RecordedFlag<T> implements GoFlag {
  readonly name: string;
  readonly values: T[] = [];
  readonly #type: FlagType<T>;

  constructor(name: string, type: FlagType<T>) {
    this.name = name;
    this.#type = type;
  }

  get isBoolean(): boolean {
    return this.#type.name === "bool";
  }

  set(text: string): string | undefined {
    const parsed = this.#type.parse(text);
    if (!parsed.ok) return parsed.fault;
    this.values.push(parsed.value);
    return undefined;
  }
}

/** What a command line of one string, one boolean and one integer comes to. */
function parse(...args: string[]) {
  const s = new RecordedFlag("s", STRING);
  const b = new RecordedFlag("b", BOOL);
  const n = new RecordedFlag("n", INT);
  const outcome = parseGoFlags(args, [s, b, n]);
  return { ...outcome, s: s.values, b: b.values, n: n.values };
}

describe("a command line", () => {
  test.each([
    { args: [], s: [], b: [], n: [], positional: [] },
    { args: ["-s", "x", "--s", "y"], s: ["x", "y"], b: [], n: [], positional: [] },
    { args: ["-s=x", "--s=y"], s: ["x", "y"], b: [], n: [], positional: [] },
    { args: ["-s="], s: [""], b: [], n: [], positional: [] },
    { args: ["-s", ""], s: [""], b: [], n: [], positional: [] },
    { args: ["-s=a=b"], s: ["a=b"], b: [], n: [], positional: [] },
    { args: ["-s", "--b", "-b"], s: ["--b"], b: [true], n: [], positional: [] },
    { args: ["-s", "--", "-b"], s: ["--"], b: [true], n: [], positional: [] },
    { args: ["-n", "-5", "-n=+7"], s: [], b: [], n: [-5, 7], positional: [] },
    { args: ["-b", "-b=false", "--b=1"], s: [], b: [true, false, true], n: [], positional: [] },
    { args: ["-b", "true", "-n", "1"], s: [], b: [true], n: [], positional: ["true", "-n", "1"] },
    { args: ["x", "-b"], s: [], b: [], n: [], positional: ["x", "-b"] },
    { args: ["-b", "-", "-b"], s: [], b: [true], n: [], positional: ["-", "-b"] },
    { args: ["", "-b"], s: [], b: [], n: [], positional: ["", "-b"] },
    { args: ["-b", "--", "-n", "1"], s: [], b: [true], n: [], positional: ["-n", "1"] },
    { args: ["--"], s: [], b: [], n: [], positional: [] },
  ])("$args", ({ args, ...expected }) => {
    expect<object>(parse(...args)).toEqual({ kind: "parsed", ...expected });
  });

  test.each([
    [["---s=x"], '"---s=x" is not a flag'],
    [["-=x"], '"-=x" is not a flag'],
    [["--=x"], '"--=x" is not a flag'],
    [["---"], '"---" is not a flag'],
    [["-x"], 'unknown flag "--x"'],
    [["--S=1"], 'unknown flag "--S"'],
    [["-b", "-\n"], 'unknown flag "--\\n"'],
    [["-s"], "--s needs a value"],
    [["-b", "--n"], "--n needs a value"],
    [["-b="], 'invalid value "" for --b: it must be true or false'],
    [["-b=yes"], 'invalid value "yes" for --b: it must be true or false'],
    [["-n", "1.5", "-x"], 'invalid value "1.5" for --n: it must be an integer'],
  ])("%p is refused", (args, message) => {
    expect(parse(...args)).toMatchObject({ kind: "error", message });
  });

  test.each([[["-h"]], [["--h"]], [["-help"]], [["--help"]], [["--help=x"]], [["-b", "-h", "-x"]]])(
    "%p asks for help",
    (args) => {
      expect(parse(...args).kind).toBe("help");
    },
  );

  test("an error before -h outweighs it", () => {
    expect(parse("-x", "-h").kind).toBe("error");
  });

  test("a flag named h is no call for help", () => {
    const h = new RecordedFlag("h", BOOL);
    expect(parseGoFlags(["-h"], [h])).toEqual({ kind: "parsed", positional: [] });
    expect(h.values).toEqual([true]);
  });

  test("any value of a flag arrives as it was written, in both forms", () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (text, joined) => {
        const args = joined ? [`--s=${text}`] : ["-s", text];
        expect(parse(...args, "-b")).toMatchObject({ kind: "parsed", s: [text], b: [true] });
      }),
    );
  });

  test("whatever is written, nothing is thrown and an error is one line", () => {
    const argument = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("-s", "-b", "-n", "--", "-", "-n=0x", "-b=\n", "-\u2028=1"),
      fc.stringMatching(/^-{1,3}[sbnx]?=?[0-9x_]*$/),
    );
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 6 }), (args) => {
        const outcome = parse(...args);
        if (outcome.kind === "parsed") {
          expect(args.slice(args.length - outcome.positional.length)).toEqual([
            ...outcome.positional,
          ]);
        } else if (outcome.kind === "error") {
          // oxlint-disable-next-line no-control-regex
          expect(outcome.message).toMatch(/^[^\n\r\0]+$/);
        }
      }),
    );
  });
});

test("a quoted argument has an end", () => {
  expect(quote("x".repeat(100))).toBe(`"${"x".repeat(100)}"`);
  expect(quote("x".repeat(101))).toBe(`"${"x".repeat(100)}…"`);
});

describe("a boolean", () => {
  test.each(["1", "t", "T", "true", "TRUE", "True"])("%s is true", (text) => {
    expect(BOOL.parse(text)).toEqual({ ok: true, value: true });
  });
  test.each(["0", "f", "F", "false", "FALSE", "False"])("%s is false", (text) => {
    expect(BOOL.parse(text)).toEqual({ ok: true, value: false });
  });
  test.each(["", "yes", "tRUE", " true", "2", "01"])("%p is refused", (text) => {
    expect(BOOL.parse(text).ok).toBe(false);
  });
});

describe("an integer", () => {
  test.each([
    ["0", 0],
    ["-0", 0],
    ["8", 8],
    ["+8", 8],
    ["-8", -8],
    ["010", 8],
    ["00", 0],
    ["-010", -8],
    ["0_7", 7],
    ["0o17", 15],
    ["0O17", 15],
    ["0x1F", 31],
    ["0Xff", 255],
    ["-0x10", -16],
    ["0b101", 5],
    ["0B1_0", 2],
    ["0x_1", 1],
    ["1_000_000", 1_000_000],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9223372036854775807", Number.MAX_SAFE_INTEGER],
    ["-9223372036854775808", Number.MIN_SAFE_INTEGER],
  ])("%s", (text, value) => {
    expect(INT.parse(text)).toEqual({ ok: true, value });
  });

  test.each([
    ...["", "+", "-", "0x", "0b", "0o", "08", "09", "0b2", "0o8", "0xg", "_1", "1_", "1__0", "0_"],
    ...["0_x1", "1e3", "1.0", " 1", "1 ", "--1", "0x-1", "x", "１", "1n", "Infinity"],
  ])("%p is refused", (text) => {
    expect(INT.parse(text)).toEqual({ ok: false, fault: "must be an integer" });
  });

  test.each(["9223372036854775808", "-9223372036854775809", "0x8000000000000000"])(
    "%s has more than 64 bits",
    (text) => {
      expect(INT.parse(text)).toEqual({ ok: false, fault: "must fit in 64 bits" });
    },
  );

  test("is the same in every base, and as it is printed", () => {
    const bases = [
      ["", 10],
      ["0", 8],
      ["0o", 8],
      ["0x", 16],
      ["0b", 2],
    ] as const;
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.constantFrom(...bases), (value, [prefix, base]) => {
        const text = `${value < 0 ? "-" : ""}${prefix}${Math.abs(value).toString(base)}`;
        expect(INT.parse(text)).toEqual({ ok: true, value });
        expect(INT.parse(INT.format(value))).toEqual({ ok: true, value });
      }),
    );
  });

  test("may have a least value", () => {
    expect(intAtLeast(3).parse("3")).toEqual({ ok: true, value: 3 });
    for (const text of ["0", "129", "-1"]) {
      const refused = { ok: false, fault: "must be from 1 to 128" } as const;
      expect(intBetween(1, 128).parse(text)).toEqual(refused);
    }
    expect(intBetween(1, 128).parse("128")).toEqual({ ok: true, value: 128 });
    expect(intAtLeast(3).parse("2")).toEqual({ ok: false, fault: "must be at least 3" });
    expect(intAtLeast(3).parse("x")).toEqual({ ok: false, fault: "must be an integer" });
  });
});

test("one of a few words", () => {
  const type = oneOf("text", "json");
  expect(type.parse("json")).toEqual({ ok: true, value: "json" });
  expect(type.parse("JSON")).toEqual({ ok: false, fault: "must be one of text, json" });
});

describe("a duration in milliseconds", () => {
  const MINUTE = 60_000;
  const HOUR = 60 * MINUTE;
  test.each([
    ["0", 0],
    ["-0", 0],
    ["+0", 0],
    ["0s", 0],
    ["-0s", 0],
    ["5s", 5000],
    ["+5s", 5000],
    ["-2m", -2 * MINUTE],
    ["1h30m", 1.5 * HOUR],
    ["1h1h", 2 * HOUR],
    ["30m1h", 1.5 * HOUR],
    ["1.5h", 1.5 * HOUR],
    [".5s", 500],
    ["-.5s", -500],
    ["1.s", 1000],
    ["1.5s500ms", 2000],
    ["10ns", 0.000_01],
    ["11us", 0.011],
    ["12\u00b5s", 0.012],
    ["12\u03bcs", 0.012],
    ["13ms", 13],
    ["2.9ns", 0.000_002],
    ["0.3333333333333333333h", 20 * MINUTE],
    ["0.100000000000000000000h", 6 * MINUTE],
    ["0.0000000000000000000001h", 0],
    ["0.830103483285477580700h", 2_988_372.539_827],
    ["0.9764157370000000000s", 976.415_737],
    ["9223372036854775807ns", 9_223_372_036_854.775],
    ["-9223372036854775808ns", -9_223_372_036_854.775],
  ])("%s", (text, ms) => {
    expect(DURATION.parse(text)).toEqual({ ok: true, value: ms });
  });

  test.each([
    ...[
      "",
      "-",
      "+",
      "3",
      "3.5",
      ".",
      "s",
      ".s",
      "-.s",
      "1h ",
      " 1h",
      "1h 30m",
      "1d",
      "1S",
      "1h-30m",
    ],
    ...["1..s", "1.2.3s", "--1s", "1e3s", "1hs", "01", "00"],
  ])("%p is refused", (text) => {
    expect(DURATION.parse(text)).toEqual({
      ok: false,
      fault: "must be a duration with units, such as 1h30m or 500ms",
    });
  });

  test.each([
    "9223372036854775808ns",
    "-9223372036854775809ns",
    "2562048h",
    `${"9".repeat(1000)}h`,
    "2562047h47m16.854775808s",
  ])("%s is too long", (text) => {
    expect(DURATION.parse(text)).toEqual({ ok: false, fault: "must be less than 292 years" });
  });

  test.each([
    [0, "0s"],
    [3_600_000, "1h0m0s"],
    [-120_000, "-2m0s"],
    [500, "0.5s"],
    [0.000_001, "0.000000001s"],
    [5_400_250, "1h30m0.25s"],
  ])("%p is printed as %s", (ms, text) => {
    expect(DURATION.format(ms)).toBe(text);
  });

  test("is read back as it was printed", () => {
    fc.assert(
      fc.property(fc.integer({ min: -4.2e15, max: 4.2e15 }), (ns) => {
        const ms = ns / 1e6;
        expect(DURATION.parse(DURATION.format(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });

  test("is the sum of its terms, or refused, and never throws", () => {
    const term = fc.tuple(
      fc.integer({ min: 0, max: 1000 }),
      fc.constantFrom(["h", HOUR] as const, ["m", MINUTE] as const, ["s", 1000] as const),
    );
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 5 }), (terms) => {
        const text = terms.map(([count, [unit]]) => `${count}${unit}`).join("");
        const value = terms.reduce((sum, [count, [, ms]]) => sum + count * ms, 0);
        expect(DURATION.parse(text)).toEqual({ ok: true, value });
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[-+.0-9hmsun µ]*$/), (text) => {
        const parsed = DURATION.parse(text);
        if (parsed.ok) expect(Number.isFinite(parsed.value)).toBe(true);
        else expect(parsed.fault).toStartWith("must be");
      }),
    );
  });
});
