import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { decodeAmpPath } from "../../../src/frontend/ampcache/amp-path.ts";
import { encodeAmpPath } from "../../kit/amp-client.ts";
import vectors from "../../vectors/amp_path.json";

/** The message in a path, in hex; undefined if there is none. */
function decoded(path: string): string | undefined {
  const result = decodeAmpPath(path);
  return result.ok ? Buffer.from(result.message).toString("hex") : undefined;
}

/** The runtime's own decoder of base64url; undefined if it refuses. It skips more white space than CR and LF. */
function decodedByRuntime(text: string): string | undefined {
  if (/[\t\f ]/.test(text)) return undefined;
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" }).toHex();
  } catch {
    return undefined;
  }
}

describe("of the vectors", () => {
  for (const { path, ok, data_base64 } of vectors.cases) {
    test(`the path ${JSON.stringify(path)} is decoded as theirs`, () => {
      const message = Buffer.from(data_base64 ?? "", "base64").toString("hex");
      expect(decoded(path)).toBe(ok ? message : undefined);
    });
  }
});

describe("a path", () => {
  const text = fc.string({ unit: "binary" });

  test("that a client made holds its message, whatever makes it unlike other paths", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), text, (message, breaker) => {
        expect(decoded(encodeAmpPath(message, breaker))).toBe(message.toHex());
      }),
    );
  });

  test("of any characters of base64 and about it decodes as the runtime has it, or not at all", () => {
    const characters = fc.string({ unit: fc.constantFrom(..."AQgwz09-_+=\r\n\t\f \u00e9") });
    fc.assert(
      fc.property(characters, (base64) => {
        const expected = base64.includes("=") ? undefined : decodedByRuntime(base64);
        expect(decoded(`0/${base64}`)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test("without version or slash is refused", () => {
    fc.assert(
      fc.property(text, (rest) => {
        if (!rest.startsWith("0")) expect(decoded(`${rest}/YWJj`)).toBeUndefined();
        expect(decoded(`0${rest.replaceAll("/", "")}`)).toBeUndefined();
      }),
    );
  });
});
