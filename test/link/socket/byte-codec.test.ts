import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { ByteReader } from "../../../src/link/socket/byte-reader.ts";
import { ByteWriter } from "../../../src/link/socket/byte-writer.ts";

const WORDS = ["one", "two", "three"] as const;

/** A value with its kind; a history of writing is a list of these. */
const value = fc.oneof(
  fc.record({ as: fc.constant("u8" as const), value: fc.nat(0xff) }),
  fc.record({ as: fc.constant("u32" as const), value: fc.nat(0xffff_ffff) }),
  fc.record({ as: fc.constant("whole" as const), value: fc.maxSafeNat() }),
  fc.record({
    as: fc.constant("optionalU32" as const),
    value: fc.option(fc.nat(0xffff_fffe), { nil: undefined }),
  }),
  fc.record({ as: fc.constant("choice" as const), value: fc.constantFrom(...WORDS) }),
  fc.record({ as: fc.constant("text" as const), value: fc.string({ unit: "binary" }) }),
  fc.record({
    as: fc.constant("optionalText" as const),
    value: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
  }),
);

type Value = ReturnType<typeof write>;

function write(to: ByteWriter, item: typeof value extends fc.Arbitrary<infer T> ? T : never) {
  switch (item.as) {
    case "u8":
      to.u8(item.value);
      break;
    case "u32":
      to.u32(item.value);
      break;
    case "whole":
      to.whole(item.value);
      break;
    case "optionalU32":
      to.optionalU32(item.value);
      break;
    case "choice":
      to.choice(WORDS, item.value);
      break;
    case "text":
      to.text(item.value);
      break;
    case "optionalText":
      to.optionalText(item.value);
  }
  return item.value;
}

function read(
  from: ByteReader,
  as: (typeof value extends fc.Arbitrary<infer T> ? T : never)["as"],
): Value {
  return as === "choice" ? from.choice(WORDS) : from[as]();
}

describe("what is written", () => {
  test("reads as what it was, and no piece of it is complete", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), fc.nat(), (items, cut) => {
        const writer = new ByteWriter();
        for (const item of items) write(writer, item);
        const bytes = Buffer.from(writer.bytes);
        const reader = new ByteReader(bytes);
        for (const item of items) expect(read(reader, item.as)).toBe(item.value);
        expect(reader.isComplete).toBe(true);

        const torn = new ByteReader(bytes, 0, cut % bytes.length);
        for (const item of items) read(torn, item.as);
        expect(torn.isComplete).toBe(false);
        const longer = new ByteReader(Buffer.concat([bytes, Buffer.of(0)]));
        for (const item of items) read(longer, item.as);
        expect(longer.isComplete).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test("is kept in order, whatever is taken from the front or the end meanwhile", () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant("append" as const),
        bytes: fc.uint8Array({ maxLength: 40_000 }),
      }),
      fc.record({
        do: fc.constant("drop" as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({
        do: fc.constant("truncate" as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const writer = new ByteWriter();
        let expected = Buffer.alloc(0);
        for (const next of steps) {
          switch (next.do) {
            case "append":
              writer.raw(next.bytes);
              expected = Buffer.concat([expected, next.bytes]);
              break;
            case "drop": {
              const count = Math.floor(next.share * expected.length);
              writer.drop(count);
              expected = expected.subarray(count);
              break;
            }
            case "truncate": {
              const length = Math.floor(next.share * expected.length);
              writer.truncate(length);
              expected = expected.subarray(0, length);
            }
          }
          expect(writer.length).toBe(expected.length);
        }
        expect(Buffer.compare(writer.bytes, expected)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe("what a peer sent", () => {
  const kinds = ["u8", "u32", "whole", "optionalU32", "choice", "text", "optionalText"] as const;

  test("may be anything: nothing throws, and texts are no longer than the bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.array(fc.constantFrom(...kinds), { maxLength: 20 }),
        (bytes, asked) => {
          const reader = new ByteReader(Buffer.from(bytes));
          let length = 0;
          for (const as of asked) {
            const got = read(reader, as);
            if (as === "text" || as === "optionalText") length += String(got ?? "").length;
          }
          expect(length).toBeLessThanOrEqual(bytes.length);
          expect(reader.rest().length).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["a text that is not UTF-8", [2, 0, 0, 0, 0xc3, 0x28], "text"],
    ["a surrogate in UTF-8", [3, 0, 0, 0, 0xed, 0xa0, 0x80], "text"],
    ["a text that announces 4 GB", [0xfe, 0xff, 0xff, 0xff, 0x41], "text"],
    ["an absent text where there must be one", [0xff, 0xff, 0xff, 0xff], "text"],
    ["a word beyond the list", [3], "choice"],
    ["a negative number", [0, 0, 0, 0, 0, 0, 0xf0, 0xbf], "whole"],
    ["a fraction", [0, 0, 0, 0, 0, 0, 0xe0, 0x3f], "whole"],
    ["infinity", [0, 0, 0, 0, 0, 0, 0xf0, 0x7f], "whole"],
    ["no number", [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], "whole"],
  ] as const)("is not complete with %s", (_, bytes, as) => {
    const reader = new ByteReader(Buffer.from(bytes));
    read(reader, as);
    expect(reader.isComplete).toBe(false);
  });

  test("keeps a byte order mark and a replacement character that were sent", () => {
    const writer = new ByteWriter();
    writer.text("\ufeff\ufffd");
    expect(new ByteReader(Buffer.from(writer.bytes)).text()).toBe("\ufeff\ufffd");
  });

  test("is read alone: what is copied out does not change with the buffer", () => {
    const bytes = Buffer.from("abc");
    const rest = new ByteReader(bytes, 1).rest();
    bytes.fill(0);
    expect(Buffer.from(rest).toString()).toBe("bc");
  });
});
