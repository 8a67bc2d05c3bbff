import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { BIAS, RAW_ESTIMATE } from "../../../src/metrics/distinct/bias-table.ts";
import { biasAt } from "../../../src/metrics/distinct/estimate.ts";
import {
  hashIndex,
  hashRho,
  isSparseKey,
  keyIndex,
  keyRho,
  REGISTERS,
  sparseKey,
} from "../../../src/metrics/distinct/hash-split.ts";
import { listKeys } from "../../../src/metrics/distinct/key-list.ts";
import { encodeSketch } from "../../../src/metrics/distinct/sketch-codec.ts";
import { DistinctSketch } from "../../../src/metrics/distinct/sketch.ts";
import vectors from "../../vectors/hll.json";
import biasVectors from "../../vectors/hll_bias_p18.json";
import { generateSketch } from "./generated-sketch.ts";
import { splitmix64 } from "./splitmix64.ts";

const u32 = fc.nat(0xffffffff);
/** Halves of hashes, rich in zeros. */
const half = fc.oneof(
  u32,
  fc.nat(32).map((shift) => Math.floor(2 ** 32 / 2 ** shift) - (shift === 0 ? 1 : 0)),
);

function halves(hash: string): [number, number] {
  return [Number.parseInt(hash.slice(0, 8), 16), Number.parseInt(hash.slice(8), 16)];
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

/** What a vector says of a state, told of ours. */
function describeState(sketch: DistinctSketch): object {
  const gob = encodeSketch(sketch);
  const common = { gob_length: gob.length, gob_sha256: sha256(gob) };
  const state = sketch.state;
  if (state.kind === "dense") {
    return {
      ...common,
      sparse: false,
      registers_sha256: sha256(state.registers),
      zero_registers: state.registers.filter((rho) => rho === 0).length,
    };
  }
  return {
    ...common,
    sparse: true,
    pending_set_size: state.pending.size,
    list_bytes: state.list.bytes.length,
    list_count: state.list.count,
    list_last: state.list.last,
    list_sha256: sha256(state.list.bytes),
  };
}

test("the generator is that of the vectors", () => {
  const found: string[] = [];
  splitmix64(1, 5, (hi, lo) => {
    found.push(hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0"));
  });
  expect(found).toEqual(vectors.splitmix64_seed1_first5);
});

describe("hash splitting", () => {
  test.each(vectors.hash_encoding)("$hash", ({ hash, index18, rho, sparse_key, flagged }) => {
    const [hi, lo] = halves(hash);
    expect(hashIndex(hi)).toBe(index18);
    expect(hashRho(hi, lo)).toBe(rho);
    const key = sparseKey(hi, lo);
    expect(key).toBe(sparse_key);
    expect(key % 2 === 1).toBe(flagged);
  });

  test("a sparse key leads to the register and the value of its hash", () => {
    fc.assert(
      fc.property(half, half, (hi, lo) => {
        const key = sparseKey(hi, lo);
        expect(isSparseKey(key)).toBe(true);
        expect(keyIndex(key)).toBe(hashIndex(hi));
        expect(keyRho(key)).toBe(hashRho(hi, lo));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["an even key without a bit for rho", 0x100],
    ["an even key of more than 26 bits", 2 ** 26 + 2],
    ["an odd key without a count", 0x4001],
    ["an odd key whose count is too large", 41 * 2 + 1],
    ["an odd key with a bit where its hash had none", 0x80 + 3],
  ])("%s is no key", (_, key) => {
    expect(isSparseKey(key)).toBe(false);
  });
});

describe("the bias table", () => {
  test("is the published one", () => {
    expect([...RAW_ESTIMATE]).toEqual(biasVectors.raw_estimate);
    expect([...BIAS]).toEqual(biasVectors.bias);
  });

  test("goes on flat outside, and is exact at its points", () => {
    expect(biasAt(0)).toBe(189083);
    expect(biasAt(189084)).toBe(189083);
    expect(biasAt(192250.913)).toBe(185696.913);
    expect(biasAt(1e9)).toBe(-713.308999999892);
  });

  const points = vectors.cases.flatMap(({ after_adds: { raw_estimate, bias_at_raw_estimate } }) =>
    raw_estimate === undefined || bias_at_raw_estimate === undefined
      ? []
      : [[raw_estimate, bias_at_raw_estimate] as const],
  );

  test.each(points)("interpolates at %d", (raw, bias) => {
    expect(biasAt(raw)).toBe(bias);
  });
});

describe("states and estimates", () => {
  test.each(vectors.cases)("$n hashes", ({ n, seed, count, after_adds, after_count }) => {
    const sketch = generateSketch(seed, n);
    expect(after_adds).toMatchObject(describeState(sketch));
    const state = sketch.state;
    if (after_adds.pending_set !== undefined) {
      if (state.kind !== "sparse") throw new Error("not sparse");
      expect([...state.pending].toSorted((a, b) => a - b)).toEqual(after_adds.pending_set);
    }
    if (after_adds.gob_base64 !== undefined) {
      expect(encodeSketch(sketch).toBase64()).toBe(after_adds.gob_base64);
    }
    expect(sketch.estimate()).toBe(count);
    expect(after_count).toMatchObject(describeState(sketch));
    if (after_count.gob_base64 !== undefined) {
      expect(encodeSketch(sketch).toBase64()).toBe(after_count.gob_base64);
    }
  });

  test("an address that comes back counts once", () => {
    const sketch = generateSketch(1, 5000);
    const before = sketch.estimate();
    splitmix64(1, 5000, (hi, lo) => sketch.add(hi, lo));
    expect(sketch.estimate()).toBe(before);
  });

  test("only a sketch without hashes is empty", () => {
    const sketch = new DistinctSketch();
    expect(sketch.isEmpty).toBe(true);
    sketch.add(0, 0);
    expect(sketch.isEmpty).toBe(false);
    sketch.estimate();
    expect(sketch.isEmpty).toBe(false);
    sketch.merge(generateSketch(1, 150_000));
    expect(sketch.isEmpty).toBe(false);
  });

  test("a state stays below 2 MB, whatever it has seen", () => {
    const sketch = new DistinctSketch();
    let pending = 0;
    let list = 0;
    splitmix64(3, 150_000, (hi, lo) => {
      sketch.add(hi, lo);
      const state = sketch.state;
      if (state.kind === "dense") return;
      pending = Math.max(pending, state.pending.size);
      list = Math.max(list, state.list.bytes.buffer.byteLength);
    });
    expect(pending).toBe(2621);
    expect(list).toBeGreaterThan(200_000);
    expect(list).toBeLessThanOrEqual(REGISTERS);
    const state = sketch.state;
    if (state.kind !== "dense") throw new Error("not dense");
    expect(state.registers.buffer.byteLength).toBe(REGISTERS);
  });
});

describe("unions", () => {
  test.each(vectors.merges)(
    "$n_seed1 and $n_seed2 hashes",
    ({ n_seed1, n_seed2, count, sparse_after }) => {
      const union = generateSketch(1, n_seed1);
      union.merge(generateSketch(2, n_seed2));
      expect(union.estimate()).toBe(count);
      expect(union.state.kind).toBe(sparse_after ? "sparse" : "dense");
    },
  );

  const sizes = fc.constantFrom(0, 1, 10, 1300, 2621, 2622, 4000);
  test("a union holds the keys of both, whatever their sizes", () => {
    fc.assert(
      fc.property(sizes, sizes, fc.boolean(), (n, m, overlap) => {
        const seeds: [number, number] = overlap ? [1, 1] : [1, 2];
        const [a, b] = [generateSketch(seeds[0], n), generateSketch(seeds[1], m)];
        const expected = new Set([...allKeys(a), ...allKeys(b)]);
        const otherBefore = encodeSketch(b).toBase64();
        a.merge(b);
        expect(encodeSketch(b).toBase64()).toBe(otherBefore);
        expect(new Set(allKeys(a))).toEqual(expected);
        const state = a.state;
        expect(state.kind === "sparse" && state.pending.size <= 2621).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("a dense union is that of one sketch which saw everything", () => {
    const all = new DistinctSketch();
    for (const seed of [1, 2]) splitmix64(seed, 150_000, (hi, lo) => all.add(hi, lo));
    const [a, b] = [generateSketch(1, 150_000), generateSketch(2, 150_000)];
    a.merge(b);
    expect(a.state).toEqual(all.state);
    expect(b.state).not.toEqual(all.state);
  });
});

function allKeys(sketch: DistinctSketch): number[] {
  const state = sketch.state;
  if (state.kind === "dense") throw new Error("not sparse");
  return [...state.pending, ...listKeys(state.list)];
}
