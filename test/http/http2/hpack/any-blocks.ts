/** Field blocks as encoders may write them, mostly nearly right, for one connection after the other. */

import fc from "fast-check";

import { FIELD_OVERHEAD } from "../../../../src/http/http2/hpack/field.ts";
import { CODE_LENGTHS } from "../../../../src/http/http2/hpack/huffman.ts";
import { integer } from "../frames.ts";
import { ALL_BYTES_IN_HUFFMAN } from "./huffman-vector.ts";

/** The code of each byte, as zeros and ones. */
const CODES: readonly string[] = codes();

function codes(): string[] {
  const bits = [...Buffer.from(ALL_BYTES_IN_HUFFMAN, "hex")]
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("");
  let at = 0;
  return CODE_LENGTHS.slice(0, 256).map((length) => bits.slice(at, (at += length)));
}

function codeHuffman(plain: Buffer): Buffer {
  const bits = [...plain].map((byte) => CODES[byte]).join("");
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte.padEnd(8, "1"), 2)));
}

/** Names that a handler asks for, and others. */
export const WANTED: readonly string[] = ["x-a", "cookie", "date", "x-long-name-that-is-wanted"];
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...WANTED, ":path", ":authority", "te", "x-b") },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);
const value = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 30 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("", "/", " padded", "x".repeat(300), "y".repeat(3_000)),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => Buffer.from(bytes).toString("latin1")),
  },
);

/** A string, plain or in the Huffman code. */
const string = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.boolean()).map(([chars, coded]) => {
    const plain = Buffer.from(chars, "latin1");
    const bytes = coded ? codeHuffman(plain) : plain;
    return Buffer.concat([number(bytes.length, 7, coded ? 0x80 : 0), bytes]);
  });

/** An integer after these bits of its first byte. */
function number(n: number, prefix: number, bits: number): Buffer {
  const [first = 0, ...rest] = integer(n, prefix);
  return Buffer.from([first | bits, ...rest]);
}

/** Indices of the static table, of entries that were probably added, and any. */
const index = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 61 }) },
  { weight: 6, arbitrary: fc.integer({ min: 62, max: 66 }) },
  { weight: 1, arbitrary: fc.nat(200) },
);

/** The first bits and the prefix of a literal: with indexing, without, never. */
const literal = fc.constantFrom<[prefix: number, bits: number]>([6, 0x40], [4, 0], [4, 0x10]);

/** A field that is added to the table, and fills one of 100 bytes. */
const filling = fc.tuple(
  string(fc.constant("x-a")),
  string(fc.constant("v".repeat(100 - FIELD_OVERHEAD - "x-a".length))),
);

const field = fc.oneof(
  { weight: 1, arbitrary: filling.map((texts) => Buffer.concat([number(0, 6, 0x40), ...texts])) },
  { weight: 4, arbitrary: index.map((n) => number(n, 7, 0x80)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(literal, index, string(value))
      .map(([[prefix, bits], n, text]) => Buffer.concat([number(n, prefix, bits), text])),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(literal, string(name), string(value))
      .map(([[prefix, bits], ...texts]) => Buffer.concat([number(0, prefix, bits), ...texts])),
  },
);

const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.constant<number[]>([]) },
  fc.array(fc.oneof(fc.constantFrom(0, 100, 4096), fc.nat(5000)), { maxLength: 3 }),
);

/** A place, how many bytes there go, and what comes instead. */
const change = fc.tuple(fc.nat(200), fc.nat(2), fc.uint8Array({ maxLength: 2 }));

const block = fc
  .tuple(
    sizes,
    fc.array(field, { maxLength: 8 }),
    fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, fc.array(change, { maxLength: 2 })),
  )
  .map(([limits, fields, changes]) => {
    let bytes = Buffer.concat([...limits.map((size) => number(size, 5, 0x20)), ...fields]);
    for (const [at, gone, instead] of changes) {
      const start = at % (bytes.length + 1);
      bytes = Buffer.concat([bytes.subarray(0, start), instead, bytes.subarray(start + gone)]);
    }
    return bytes;
  });

/** The blocks of one connection. */
export const anyBlocks: fc.Arbitrary<Buffer[]> = fc.array(block, { minLength: 1, maxLength: 6 });
