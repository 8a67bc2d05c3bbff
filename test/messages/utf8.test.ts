import { expect, test } from "bun:test";

import fc from "fast-check";

import { decodeUtf8 } from "../../src/messages/utf8.ts";

test.each([
  ["a truncated sequence: one replacement a byte", [0x61, 0xe2, 0x82, 0x28], "a\ufffd\ufffd("],
  ["an overlong form", [0xc0, 0x80], "\ufffd\ufffd"],
  ["a surrogate", [0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
  ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
  ["a byte order mark stays", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  ["a real replacement character", [0xef, 0xbf, 0xbd], "\ufffd"],
] as const)("%s", (_, bytes, text) => {
  expect(decodeUtf8(Uint8Array.from(bytes))).toBe(text);
});

test("well-formed text comes back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const text = `${value.toWellFormed()}\ufffd`;
      expect(decodeUtf8(Buffer.from(text))).toBe(text);
    }),
  );
});

test("any bytes become text whose length in replacements never exceeds the bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const replaced = decodeUtf8(bytes).split("\ufffd").length - 1;
      expect(replaced).toBeLessThanOrEqual(bytes.length);
    }),
  );
});

/** Bytes of the longest message. */
const LONGEST = 100_000;

function fastest(bytes: Uint8Array): number {
  let ms = Infinity;
  // On a machine that is busy with other things, more rounds show how fast it can be.
  for (let round = 0; round < 20 || (ms > 2 && round < 300); round++) {
    const start = performance.now();
    decodeUtf8(bytes);
    ms = Math.min(ms, performance.now() - start);
  }
  return ms;
}

test.each([
  ["one bad byte", (i: number) => (i === 500 ? 0xff : 0x61)],
  ["bad bytes only", () => 0xff],
  ["every other byte bad", (i: number) => (i % 2 === 0 ? 0xff : 0x61)],
  ["truncated sequences", (i: number) => (i % 3 === 0 ? 0x61 : 0xe2)],
] as const)("%s: no more than a millisecond or so for the longest message", (_, byteAt) => {
  const bytes = Uint8Array.from({ length: LONGEST }, (_unused, i) => byteAt(i));
  // 26 ms when each sequence was decoded on its own, 0.3 now; a whole request with a clean body takes about 1.
  expect(fastest(bytes)).toBeLessThan(2.5);
});
