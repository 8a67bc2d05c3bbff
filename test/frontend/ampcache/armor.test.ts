import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { PAGE_END, PAGE_START } from "../../../src/frontend/ampcache/armor-page.ts";
import { encodeAmpArmor } from "../../../src/frontend/ampcache/armor.ts";
import { decodeAmpArmor } from "../../kit/amp-client.ts";
import vectors from "../../vectors/amp_armor.json";

/** The generator that the vectors name: of every number the topmost byte. */
function generatedBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = 1;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** The lines of every element. */
function elements(page: string): string[][] {
  return page
    .slice(PAGE_START.length, -PAGE_END.length)
    .split("</pre>\n")
    .filter((element) => element !== "")
    .map((element) => element.split("\n").slice(1, -1));
}

describe("the armor of the vectors", () => {
  test("begins and ends as theirs", () => {
    expect(PAGE_START).toBe(vectors.start);
    expect(PAGE_END).toBe(vectors.end);
  });

  for (const { name, input_base64, input_length, ...output } of vectors.cases) {
    const input =
      input_base64 === undefined
        ? generatedBytes(input_length)
        : Buffer.from(input_base64, "base64");
    const page = encodeAmpArmor(input);

    test(`${name}, ${input_length} bytes, is the same`, () => {
      expect(input).toHaveLength(input_length);
      if (output.output !== undefined) expect(page).toBe(output.output);
      expect(page).toHaveLength(output.output_length);
      expect(Bun.SHA256.hash(page, "hex")).toBe(output.output_sha256);
    });

    test(`${name}, ${input_length} bytes, decodes`, () => {
      expect(Buffer.from(decodeAmpArmor(page)).equals(input)).toBe(true);
    });
  }
});

/** Bytes of all lengths, often about as many as fill one element or two. */
const bytes = fc
  .oneof(fc.nat(200), fc.integer({ min: 23_800, max: 23_815 }), fc.nat(100_000))
  .chain((length) =>
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map((seed) => Buffer.alloc(length, seed)),
  );

describe("whatever is armored", () => {
  test("comes out of the decoder as it was", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(Buffer.from(decodeAmpArmor(encodeAmpArmor(input))).equals(input)).toBe(true);
      }),
    );
  });

  test("stands in elements of less than 32 KiB and lines of 32 characters, the last one shorter", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const all = elements(encodeAmpArmor(input));
        const lines = all.flat();
        expect(all.findIndex((element) => element.join("\n").length >= 32_768)).toBe(-1);
        expect(all.slice(0, -1).every((element) => element.length === 992)).toBe(true);
        expect(lines.slice(0, -1).every((line) => line.length === 32)).toBe(true);
        expect(lines.at(-1)?.length).toBeWithin(1, 32);
      }),
    );
  });

  test("may be a text, which stands for its UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(encodeAmpArmor(text)).toBe(encodeAmpArmor(new TextEncoder().encode(text)));
      }),
    );
  });
});
