import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { REGISTERS } from "../../../src/metrics/distinct/hash-split.ts";
import { EMPTY_KEY_LIST, uniteKeys } from "../../../src/metrics/distinct/key-list.ts";
import { decodeSketch, encodeSketch } from "../../../src/metrics/distinct/sketch-codec.ts";
import { DistinctSketch } from "../../../src/metrics/distinct/sketch.ts";
import { generateSketch } from "./generated-sketch.ts";

/** Registers, their number, precision, and that the sketch is sparse. */
const PREFIX = "030a0000 060600fd040000 03060012 03020001";
const DEFINITION_64 = "12 7f 040101 03736574 01ff80 00 0106 0102 0000";
const DEFINITION_65 = "13 ff81 040101 03736574 01ff82 00 0106 0102 0000";
const DEFINITION_100 = "13 ffc7 040101 03736574 01ffc8 00 0106 0102 0000";
const NO_PENDING = "04ff800000";
/** Count, bytes and last key of a list. */
const NO_LIST = "03060000 030a0000 03060000";

function bytes(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

/** A sparse sketch with these values behind its definition. */
function sparse(pending: string, list: string, definition = DEFINITION_64): Uint8Array {
  return bytes(`${PREFIX} ${definition} ${pending} ${list}`);
}

function decoded(encoded: Uint8Array): DistinctSketch {
  const result = decodeSketch(encoded);
  if (!result.ok) throw new Error(result.error);
  return result.sketch;
}

function error(encoded: Uint8Array): string | undefined {
  const result = decodeSketch(encoded);
  return result.ok ? undefined : result.error;
}

describe("round trips", () => {
  test.each([0, 1, 2, 100, 2621, 2622, 3000, 50_000, 140_000, 150_000])("%d hashes", (n) => {
    const sketch = generateSketch(1, n);
    const encoded = encodeSketch(sketch);
    const copy = decoded(encoded);
    expect(copy.state).toEqual(sketch.state);
    expect(encodeSketch(copy)).toEqual(encoded);
    expect(copy.estimate()).toBe(sketch.estimate());
  });

  test("hashes of every length of key", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(0xffffffff), fc.nat(32))), (hashes) => {
        const sketch = generateSketch(1, 0);
        for (const [hash, shift] of hashes) sketch.add(shift === 32 ? 0 : hash >>> shift, hash);
        expect(decoded(encodeSketch(sketch)).state).toEqual(sketch.state);
        sketch.estimate();
        expect(decoded(encodeSketch(sketch)).state).toEqual(sketch.state);
      }),
    );
  });

  test("the order of arrival does not show", () => {
    const [a, b] = [generateSketch(1, 0), generateSketch(1, 0)];
    for (const i of [3, 1, 2]) a.add(i << 20, i);
    for (const i of [2, 3, 1]) b.add(i << 20, i);
    expect(encodeSketch(a)).toEqual(encodeSketch(b));
  });

  test("a decoded sketch keeps nothing of the bytes it was read from", () => {
    for (const n of [3000, 150_000]) {
      const encoded = encodeSketch(generateSketch(1, n));
      const copy = decoded(encoded);
      const before = copy.estimate();
      encoded.fill(0);
      expect(copy.estimate()).toBe(before);
      const state = copy.state;
      const held = state.kind === "dense" ? state.registers : state.list.bytes;
      expect(held.buffer.byteLength).toBe(held.length);
    }
  });
});

describe("what other writers make of it", () => {
  const KEY = 38021302;

  test.each([
    ["64", DEFINITION_64, "ff80"],
    ["65", DEFINITION_65, "ff82"],
    ["100", DEFINITION_100, "ffc8"],
  ])("the set's type is numbered %s", (_, definition, type) => {
    const state = decoded(sparse(`0a${type}0001 fc024428b6 01`, NO_LIST, definition)).state;
    expect(state).toMatchObject({ kind: "sparse", pending: new Set([KEY]) });
  });

  test("pending keys come in any order", () => {
    const entries = ["fc024428b6 01", "fc02fbae36 01"];
    for (const order of [entries, entries.toReversed()]) {
      expect(decoded(sparse(`10ff800002 ${order.join(" ")}`, NO_LIST)).estimate()).toBe(2);
    }
  });

  test.each([
    ["nothing at all", NO_PENDING, NO_LIST, 0],
    ["a pending key", "06ff800001 02 01", NO_LIST, 1],
    ["a key in the list", NO_PENDING, "03060001 040a0001 02 03060002", 1],
    ["two keys in the list", NO_PENDING, "03060002 050a0002 0202 03060004", 2],
  ])("%s is accepted", (_, pending, list, count) => {
    expect(decoded(sparse(pending, list)).estimate()).toBe(count);
  });

  const strange = (from: string | RegExp, to: string): Uint8Array =>
    sparse(NO_PENDING, NO_LIST, DEFINITION_64.replace(from, to));

  test.each([
    ["a set id that differs from the definition's", sparse("04ff820000", NO_LIST)],
    ["a definition of another type", strange("0106", "0104")],
    ["a definition of another length", strange(/^12/, "11")],
    ["a built-in type defined anew", strange("7f", "7d")],
    ["more bytes than a sketch", sparse(NO_PENDING, `${NO_LIST} 00`)],
    ["another precision", bytes("030a0000 060600fd020000 03060011 03020001")],
    ["a pending key that no hash has", sparse("06ff800001 00 01", NO_LIST)],
    ["a pending key that is not in the set", sparse("06ff800001 02 00", NO_LIST)],
    ["more list keys than list bytes", sparse(NO_PENDING, "03060001 030a0000 03060000")],
    ["a list that counts too few", sparse(NO_PENDING, "03060001 050a0002 0202 03060004")],
    ["a list with another last key", sparse(NO_PENDING, "03060001 040a0001 02 03060004")],
    ["a list with a key twice", sparse(NO_PENDING, "03060002 050a0002 0200 03060002")],
    ["a list that ends within a key", sparse(NO_PENDING, "03060001 040a0001 82 03060002")],
    ["a padded list key", sparse(NO_PENDING, "03060001 050a0002 8200 03060002")],
    ["a list key that no hash has", sparse(NO_PENDING, "03060001 040a0001 01 03060001")],
    ["a value longer than its message", sparse(NO_PENDING, "03060000 030a0001 02 03060000")],
    ["dense without registers", bytes(PREFIX.replace(/01$/, "00"))],
    ["a number of 64 bits", bytes("03 f8ffffffffffffffff")],
    ["nothing", new Uint8Array(0)],
  ])("%s is refused", (_, encoded) => {
    expect(error(encoded)).toBeString();
  });

  test("a flag that is neither true nor false is refused", () => {
    const prefix = PREFIX.replace(/01$/, "02");
    expect(error(bytes(`${prefix} ${DEFINITION_64} ${NO_PENDING} ${NO_LIST}`))).toBeString();
  });

  test("registers beyond the largest rho are refused", () => {
    const encoded = encodeSketch(generateSketch(1, 150_000));
    const first = encoded.length - REGISTERS;
    expect(first).toBeLessThan(40);
    encoded[100] = 48;
    expect(error(encoded)).toBe("contents are inconsistent");
    encoded[100] = 47;
    expect(error(encoded)).toBeUndefined();
  });

  test("a set that would have been merged is refused", () => {
    const state = generateSketch(1, 2622).state;
    if (state.kind !== "sparse") throw new Error("not sparse");
    const pending = new Set(state.pending);
    expect(error(encodeSketch(new DistinctSketch({ ...state, pending })))).toBeUndefined();
    pending.add(2);
    expect(pending.size).toBe(2622);
    expect(error(encodeSketch(new DistinctSketch({ ...state, pending })))).toBeString();
  });
});

test("a list that would have turned dense is refused", () => {
  const encodeList = (count: number): Uint8Array => {
    const list = uniteKeys(
      EMPTY_KEY_LIST,
      Uint32Array.from({ length: count }, (_, i) => i * 256 + 2),
    );
    return encodeSketch(new DistinctSketch({ kind: "sparse", pending: new Set(), list }));
  };
  expect(error(encodeList(REGISTERS / 2))).toBeUndefined();
  expect(error(encodeList(REGISTERS / 2 + 1))).toBeString();
});

describe("hostile bytes", () => {
  /** Decodes, and if that went well, uses the result in every way there is. */
  function survive(encoded: Uint8Array): boolean {
    const result = decodeSketch(encoded);
    if (!result.ok) return false;
    const again = decodeSketch(encodeSketch(result.sketch));
    expect(again.ok).toBe(true);
    const union = generateSketch(1, 10);
    union.merge(result.sketch);
    expect(Number.isSafeInteger(union.estimate())).toBe(true);
    expect(Number.isSafeInteger(result.sketch.estimate())).toBe(true);
    return true;
  }

  test("random bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        expect(survive(random)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test("random bytes behind a genuine beginning do no harm", () => {
    const beginning = bytes(`${PREFIX} ${DEFINITION_64}`);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (random) => {
        survive(Buffer.concat([beginning, random]));
      }),
      { numRuns: 2000 },
    );
  });

  const small = encodeSketch(generateSketch(1, 30));
  const merged = generateSketch(1, 2700);
  const large = encodeSketch(merged);

  test("every truncation is refused", () => {
    for (let length = 0; length < small.length; length++) {
      expect(survive(small.subarray(0, length))).toBe(false);
    }
    for (let length = 0; length < large.length; length += 37) {
      expect(survive(large.subarray(0, length))).toBe(false);
    }
  });

  test("no flipped bit does harm", () => {
    let refused = 0;
    for (const encoded of [small, large.slice()]) {
      const step = encoded.length > 1000 ? 71 : 1;
      for (let bit = 0; bit < encoded.length * 8; bit += step) {
        const flipped = encoded.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        if (!survive(flipped)) refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  test("sizes that are not there are refused", () => {
    const huge = "fcffffffff";
    expect(error(sparse(`${huge} ff8000 ${huge}`, NO_LIST))).toBeString();
    expect(error(sparse(`09ff8000 ${huge}`, NO_LIST))).toBeString();
    expect(error(sparse(NO_PENDING, `070600${huge} 030a0000 03060000`))).toBeString();
    expect(error(sparse(NO_PENDING, `070600${huge} 070a00${huge} 03060000`))).toBeString();
    expect(error(bytes(`${huge} 0a00 ${huge}`))).toBeString();
  });
});
