import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";

import * as fc from "fast-check";

import { parseAddressWords } from "../../src/geoip/address-words.ts";
import { valueOfAddress, wordsOfValue } from "./naive-address.ts";

function parse(text: string): number[] | undefined {
  const bytes = new TextEncoder().encode(text);
  // Neighbours that would be taken for part of the address if the bounds were not kept.
  const padded = new Uint8Array([0x3a, ...bytes, 0x3a, 0x31]);
  const words = new Uint32Array(4);
  return parseAddressWords(padded, 1, 1 + bytes.length, words) ? [...words] : undefined;
}

const address = fc.oneof(fc.ipV4(), fc.ipV6());

/** An address with one place replaced by another piece of text. */
const almostAddress = fc
  .tuple(
    address,
    fc.nat(),
    fc.nat(3),
    fc.constantFrom("", "0", "f", "g", ":", "::", ".", "1.2.3.4"),
  )
  .map(([text, place, length, piece]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + piece + text.slice(at + length);
  });

const alphabetSoup = fc.string({
  unit: fc.constantFrom("0", "1", "a", "F", ":", "."),
  maxLength: 12,
});

describe("an address as words", () => {
  test.each([
    ["1.2.3.4", [0, 0, 0xffff, 0x01020304]],
    ["255.255.255.255", [0, 0, 0xffff, 0xffffffff]],
    ["::", [0, 0, 0, 0]],
    ["::1", [0, 0, 0, 1]],
    ["1::", [0x10000, 0, 0, 0]],
    ["1:2:3:4:5:6:7::", [0x10002, 0x30004, 0x50006, 0x70000]],
    ["::2:3:4:5:6:7:8", [2, 0x30004, 0x50006, 0x70008]],
    ["2001:DB8::ff:1", [0x20010db8, 0, 0, 0xff0001]],
    ["::ffff:1.2.3.4", [0, 0, 0xffff, 0x01020304]],
    ["0:0:0:0:0:ffff:102:304", [0, 0, 0xffff, 0x01020304]],
    ["64:ff9b::192.0.2.1", [0x0064ff9b, 0, 0, 0xc0000201]],
    [
      "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
      [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1],
    ],
  ])("%s", (text, words) => {
    expect(parse(text)).toEqual(words);
  });

  test.each([
    "",
    ":",
    ":::",
    ":1",
    "1:",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    "1:::2",
    "00001::",
    "g::",
    "fe80::1%eth0",
    "[::1]",
    "::1/128",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "01.2.3.4",
    "1.2.3.00",
    "256.1.1.1",
    "1.2.3.a",
    "a.2.3.4",
    "16909060",
    "0x7f.1.1.1",
    "1:1.2.3.4",
    "1.2.3.4:1",
    "::1.2.3.4:1",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:6::1.2.3.4",
    "1:2:3:4:5:1.2.3.4",
    "::ffff:1.2.3",
    " ::1",
    "::1 ",
    "0".repeat(1000),
  ])("none: %j", (text) => {
    expect(parse(text)).toBeUndefined();
  });

  test("has the value that slow arithmetic gives", () => {
    fc.assert(
      fc.property(address, (text) => {
        expect(parse(text)).toEqual([...wordsOfValue(valueOfAddress(text))]);
      }),
    );
  });

  test("is one where the platform says so, and nowhere else", () => {
    fc.assert(
      fc.property(fc.oneof(almostAddress, alphabetSoup, fc.string()), (text) => {
        const valid = isIP(text) !== 0 && !text.includes("%");
        expect(parse(text)).toEqual(valid ? [...wordsOfValue(valueOfAddress(text))] : undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
