import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { splitLines } from "../../../src/metrics/distinct/byte-lines.ts";

async function* inPieces(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(new TextEncoder().encode(text));
}

async function linesOf(texts: readonly string[], limit: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of splitLines(inPieces(texts), limit)) {
    if (line.kind === "too-long") lines.push("<too long>");
    else lines.push(new TextDecoder().decode(line.bytes) + (line.complete ? "" : "<end>"));
  }
  return lines;
}

describe("lines", () => {
  test.each([
    [[], []],
    [[""], []],
    [["\n"], [""]],
    [["a"], ["a<end>"]],
    [["a\n"], ["a"]],
    [["a\n\nb"], ["a", "", "b<end>"]],
    [
      ["a", "b\nc", "\n", "d"],
      ["ab", "c", "d<end>"],
    ],
    [["12345\nb\n"], ["12345", "b"]],
    [["123456\nb\n"], ["<too long>"]],
    [
      ["a\n123", "456", "7\nb\n"],
      ["a", "<too long>"],
    ],
    [["123456"], ["<too long>"]],
  ])("%j", async (pieces, lines) => {
    expect(await linesOf(pieces, 5)).toEqual(lines);
  });

  test("where the pieces are cut makes no difference", async () => {
    const piece = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(piece), async (pieces) => {
        expect(await linesOf(pieces, 6)).toEqual(await linesOf([pieces.join("")], 6));
      }),
    );
  });

  test("a line without end is given up before it fills the memory", async () => {
    let pieces = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        pieces++;
        yield await Promise.resolve(new Uint8Array(1000).fill(0x61));
      }
    }
    const kinds: string[] = [];
    for await (const line of splitLines(endless(), 10_000)) kinds.push(line.kind);
    expect(kinds).toEqual(["too-long"]);
    expect(pieces).toBe(11);
  });
});
