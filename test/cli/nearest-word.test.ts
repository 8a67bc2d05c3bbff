import { expect, test } from "bun:test";

import fc from "fast-check";

import { nearestWord } from "../../src/cli/nearest-word.ts";

const KNOWN = ["addr", "cert", "key", "core", "http-frontend", "max-clients", "metrics-log"];

test.each([
  ["adr", "addr"],
  ["max-client", "max-clients"],
  ["http-fronted", "http-frontend"],
  ["metric-log", "metrics-log"],
  ["cor", "core"],
  ["frobnicate", undefined],
  ["x", undefined],
  ["", undefined],
])("%p may mean %p", (word, meant) => {
  expect(nearestWord(word, KNOWN)).toBe(meant);
});

test("a known word is its own nearest, and no text is too long to ask for", () => {
  for (const word of KNOWN) expect(nearestWord(word, KNOWN)).toBe(word);
  fc.assert(fc.property(fc.string(), (word) => void nearestWord(word, KNOWN)));
  expect(nearestWord("x".repeat(1_000_000), KNOWN)).toBeUndefined();
});
