import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  DEFAULT_POLL_INTERVALS,
  parsePollIntervals,
  type PollIntervals,
} from "../../../src/broker/policy/poll-intervals.ts";
import vectors from "../../vectors/config_files.json" with { type: "json" };

const CURRENT: PollIntervals = { open: 101, moderate: 102, strict: 103 };

function parse(text: string): PollIntervals | string {
  const parsed = parsePollIntervals(text, CURRENT);
  return parsed.ok ? parsed.intervals : parsed.error;
}

describe("files as the Go broker reads them", () => {
  /** It takes a member that is missing for 0; here the interval stays. */
  const unchanged = new Map<string, Partial<PollIntervals>>([
    ["empty object: all zero", {}],
    ["null: all zero", {}],
    ["null member: zero", {}],
    ["one member: others zero", { open: 5 }],
    ["keys any case", { open: 5 }],
    ["unknown ignored", { open: 5 }],
  ]);
  /** It accepts these; here they are errors. */
  const refused = new Set(["negative accepted"]);

  test.each(vectors.poll_interval)("$name", ({ name, file, milliseconds }) => {
    const parsed = parsePollIntervals(file, CURRENT);
    expect(parsed.ok).toBe(milliseconds !== undefined && !refused.has(name));
    if (!parsed.ok || milliseconds === undefined) return;
    const difference = unchanged.get(name);
    expect(parsed.intervals).toEqual(
      difference === undefined ? milliseconds : { ...CURRENT, ...difference },
    );
  });

  test("the exceptions are in the vectors", () => {
    const names = vectors.poll_interval.map(({ name }) => name);
    for (const name of [...unchanged.keys(), ...refused]) expect(names).toContain(name);
  });
});

test("without a file every pool has 20 seconds", () => {
  expect(DEFAULT_POLL_INTERVALS).toEqual({ open: 20_000, moderate: 20_000, strict: 20_000 });
});

test("the current intervals are left alone", () => {
  const current = { ...CURRENT };
  parsePollIntervals('{"open_poll_interval":1}', current);
  expect(current).toEqual(CURRENT);
});

test.each([
  ['{"open_poll_interval":0}', { open: 0 }],
  ['{"open_poll_interval":-0}', { open: 0 }],
  ['{"open_poll_interval":1,"OPEN_poll_interval":2}', { open: 2 }],
  ['{"open_poll_interval":1,"open_poll_interval":null}', { open: 1 }],
  ['{"open_poll_interval":-1,"open_poll_interval":1}', { open: 1 }],
  ['{"\u017ftrict_poll_interval":1}', { strict: 1 }],
  ['{"strict_poll_interval":9223372036854775807}', { strict: Number.MAX_SAFE_INTEGER }],
  [' \r\n{"moderate_poll_interval" : 7 }\n', { moderate: 7 }],
])("%s", (text, difference) => {
  expect(parse(text)).toEqual({ ...CURRENT, ...difference });
});

test.each([
  ['{"moderate_poll_interval":-1}', 'member "moderate_poll_interval" must not be negative'],
  ['{"Strict_poll_interval":-5}', 'member "strict_poll_interval" must not be negative'],
  [
    '{"open_poll_interval":1.5}',
    'invalid JSON: member "open_poll_interval" must be an integer of 64 bits',
  ],
  ["", "invalid JSON: the text ends too early"],
  ["7", "invalid JSON: expected an object, found number"],
  ['{"open_poll_interval":-1', "invalid JSON: the text ends too early"],
])("%p is refused", (text, error) => {
  expect(parse(text)).toBe(error);
});

test("any intervals that are written are read back", () => {
  const interval = fc.option(fc.maxSafeNat(), { nil: undefined });
  fc.assert(
    fc.property(interval, interval, interval, (open, moderate, strict) => {
      const text = JSON.stringify({
        open_poll_interval: open,
        moderate_poll_interval: moderate,
        strict_poll_interval: strict,
      });
      expect(parse(text)).toEqual({
        open: open ?? CURRENT.open,
        moderate: moderate ?? CURRENT.moderate,
        strict: strict ?? CURRENT.strict,
      });
    }),
  );
});

test("whatever is written, nothing is thrown and no interval is negative", () => {
  const member = fc.constantFrom("open_poll_interval", "Moderate_Poll_Interval", "x");
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(member, fc.oneof(fc.integer(), fc.double(), fc.anything()))
      .map((value) => JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? 0 : v))),
  );
  fc.assert(
    fc.property(text, (file) => {
      const parsed = parsePollIntervals(file, CURRENT);
      if (!parsed.ok) return expect(parsed.error).not.toBe("");
      for (const ms of Object.values(parsed.intervals)) expect(ms).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("a byte order mark, CRLF and blank lines are as an editor may leave them", () => {
  const text = '\ufeff\r\n{\r\n"open_poll_interval": 1000\r\n}\r\n\r\n';
  expect(parsePollIntervals(text, DEFAULT_POLL_INTERVALS)).toEqual({
    ok: true,
    intervals: { ...DEFAULT_POLL_INTERVALS, open: 1000 },
  });
});
