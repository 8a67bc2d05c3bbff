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
