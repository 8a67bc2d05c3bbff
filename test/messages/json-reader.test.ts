import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { JsonReader } from "../../src/messages/json-reader.ts";
import { formatJsonString } from "../../src/messages/json-string.ts";
import { decodeUtf8 } from "../../src/messages/utf8.ts";
import vectors from "../vectors/json_string.json";

/** Reads a whole text, skipping every value; what a native parser is compared with. */
function errorOf(text: string): string | undefined {
  const json = new JsonReader(text);
  for (let name = json.firstMember(); name !== undefined; name = json.nextMember()) json.skip();
  return json.error;
}

function isNative(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("the reader", () => {
  test("accepts every object that a native parser accepts", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (value, indent) => {
        expect(errorOf(JSON.stringify(value, null, indent))).toBeUndefined();
      }),
    );
  });

  test("accepts a mutilated object exactly when a native parser does", () => {
    const mutation = fc.record({ at: fc.nat(), cut: fc.nat(3), insert: jsonSoup(4) });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), mutation, (value, change) => {
        const whole = JSON.stringify(value);
        const at = change.at % (whole.length + 1);
        const text = whole.slice(0, at) + change.insert + whole.slice(at + change.cut);
        expect(syntaxErrorOf(text) === undefined).toBe(isNative(text));
      }),
      { numRuns: 5000 },
    );
  });

  test("judges soup of JSON's own characters as a native parser does", () => {
    fc.assert(
      fc.property(jsonSoup(20), (soup) => {
        const text = `{"a":${soup}}`;
        expect(syntaxErrorOf(text) === undefined).toBe(isNative(text));
      }),
      { numRuns: 20_000 },
    );
  });

  test("reads the strings that were written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (value) => {
        const json = new JsonReader(`{"a":${JSON.stringify(value)}}`);
        expect(json.firstMember()).toBe("a");
        expect(json.string("")).toBe(value.toWellFormed());
        expect(json.nextMember()).toBeUndefined();
        expect(json.error).toBeUndefined();
      }),
    );
  });

  test("takes integers of 64 bits, written as integers, and nothing else", () => {
    const integerIn = (literal: string) => {
      const json = new JsonReader(`{"n":${literal}}`);
      json.firstMember();
      const value = json.integer(-1);
      json.nextMember();
      return json.error === undefined ? value : "error";
    };
    expect(integerIn("0")).toBe(0);
    expect(integerIn("-0")).toBe(-0);
    expect(integerIn("null")).toBe(-1);
    expect(integerIn("9223372036854775807")).toBe(2 ** 63);
    expect(integerIn("9223372036854775808")).toBe("error");
    expect(integerIn("-9223372036854775808")).toBe(-(2 ** 63));
    expect(integerIn("-9223372036854775809")).toBe("error");
    for (const literal of ["1.0", "1e1", '"1"', "true", "[1]", "{}", "01", "+1", "-"]) {
      expect(integerIn(literal)).toBe("error");
    }
  });

  test("nests 10,000 deep and no deeper", () => {
    expect(errorOf(`{"a":${"[".repeat(9999)}${"]".repeat(9999)}}`)).toBeUndefined();
    expect(errorOf(`{"a":${"[".repeat(20_000)}`)).toContain("invalid JSON");
  });

  test("takes time in proportion to the text", () => {
    const started = performance.now();
    errorOf(`{"a":"${'\\"'.repeat(50_000)}`);
    errorOf(`{"a":"${"\\".repeat(100_000)}"`);
    errorOf(`{"a":${"[[],".repeat(25_000)}`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

/** The error, unless it is that the text is some other value than an object, which is no error of syntax. */
function syntaxErrorOf(text: string): string | undefined {
  const error = errorOf(text);
  return error?.includes("expected an object") === true ? undefined : error;
}

function jsonSoup(maxLength: number) {
  const unit = fc.constantFrom(...'{}[]:,"\\ue0-+.19atrfalsn ', "true", "null", '"a"', "\n", "\0");
  return fc.array(unit, { maxLength }).map((parts) => parts.join(""));
}

describe("the writer", () => {
  for (const { json, string_base64 } of vectors.cases) {
    test(json, () => {
      // The vectors escape what a byte that is not UTF-8 became; here it became a character when it was read.
      const expected = json.replaceAll("\\ufffd", "\ufffd");
      expect(formatJsonString(decodeUtf8(Buffer.from(string_base64, "base64")))).toBe(expected);
    });
  }

  test("writes what any parser reads back, and nothing that HTML would take for its own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const literal = formatJsonString(value);
        expect(JSON.parse(literal)).toBe(value.toWellFormed());
        expect(literal).not.toMatch(/[<>&\u2028\u2029]/);
      }),
    );
  });
});
