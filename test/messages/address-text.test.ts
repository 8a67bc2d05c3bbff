import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";

import * as fc from "fast-check";

import {
  parseAddress,
  parseBareAddress,
  parseIpv4,
  parseIpv6,
} from "../../src/messages/address-text.ts";

const ipv4 = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255))).map((o) => o.join("."));

const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });

/** An address and one of its spellings: letter case, leading zeros, any gap, a dotted tail. */
const ipv6 = fc
  .record({
    values: groups,
    upper: fc.boolean(),
    width: fc.nat(4),
    start: fc.nat(7),
    length: fc.nat(8),
    dotted: fc.boolean(),
  })
  .map(({ values, upper, width, start, length, dotted }) => {
    const hex = values.map((value) => value.toString(16).padStart(width, "0"));
    if (dotted) {
      const tail = values.slice(6).flatMap((value) => [value >> 8, value & 0xff]);
      hex.splice(6, 2, tail.join("."));
    }
    const end = Math.min(start + length, dotted ? 6 : 8);
    const hasGap = start < end && values.slice(start, end).every((value) => value === 0);
    const text = hasGap
      ? `${hex.slice(0, start).join(":")}::${hex.slice(end).join(":")}`
      : hex.join(":");
    return { values, text: upper ? text.toUpperCase() : text };
  });

/** An address with a few characters removed and others put in their place. */
function nearly(characters: readonly string[]) {
  const address = fc.oneof(
    ipv4,
    ipv6.map(({ text }) => text),
  );
  const inserted = fc.string({ unit: fc.constantFrom(...characters), maxLength: 3 });
  return fc
    .tuple(address, fc.nat(45), fc.nat(2), inserted)
    .map(([text, at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed));
}

describe("one address", () => {
  test.each([
    ["198.41.0.4", "198.41.0.4"],
    ["198.41.0.4:1234", "198.41.0.4"],
    ["198.41.0.4:", "198.41.0.4"],
    ["198.41.0.4:no port", "198.41.0.4"],
    ["[198.41.0.4]", "198.41.0.4"],
    ["[198.41.0.4]:80", "198.41.0.4"],
    ["198.41.0.4%eth0:80", "198.41.0.4%eth0"],
    ["255.255.255.255", "255.255.255.255"],
    ["0.0.0.1", "0.0.0.1"],
    ["2A00:0:0:0:0:0:0:1", "2a00::1"],
    ["[2a00::1]", "2a00::1"],
    ["[2a00::1]:", "2a00::1"],
    ["[2a00::1]:443", "2a00::1"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
    ["1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"],
    ["::1.2.3.4", "::102:304"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:102:304", "1.2.3.4"],
    ["0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"],
    ["[::ffff:1.2.3.4]:80", "1.2.3.4"],
    ["::ffff:0:1.2.3.4", "::ffff:0:102:304"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["[fe80::1%eth0]:1234", "fe80::1%eth0"],
    ["fe80::1%", "fe80::1"],
    [`fe80::1%${"z".repeat(64)}`, `fe80::1%${"z".repeat(64)}`],
  ])("%p is %p", (text, canonical) => {
    expect(parseAddress(text)?.reveal()).toBe(canonical);
  });

  test.each([
    "",
    "@",
    "unknown",
    "localhost",
    "_secret",
    ":80",
    "[]",
    "[",
    "]",
    "[]:80",
    " 1.2.3.4",
    "1.2.3.4 ",
    '"1.2.3.4"',
    "1.2.3",
    "1.2.3.4.5",
    "1..3.4",
    ".1.2.3",
    "1.2.3.",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.00",
    "0x7f.0.0.1",
    "1.2.3.-4",
    "1.2.3.4/32",
    "١.2.3.4",
    "1.2.3.4:[",
    "1.2.3.4:]",
    "[1.2.3.4",
    "1.2.3.4]",
    "[[1.2.3.4]]",
    "[1.2.3.4]80",
    "[2a00::1]:80:90",
    "2a00::1]",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1::2::3",
    ":::",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::2:3:4:5:6:7:1.2.3.4",
    "1::3:4:5:6:7:8:1.2.3.4",
    "::1.2.3",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "%eth0",
    "fe80::1%a%b",
    `fe80::1%${"z".repeat(65)}`,
    "fe80::1%a b",
    "fe80::1%a:b",
    "[fe80::1%a]b]",
    "fe80::1%\u00e9",
    "0.0.0.0",
    "0.0.0.0:80",
    "0.0.0.0%eth0",
    "::",
    "[::]:80",
    "::0.0.0.0",
    "::ffff:0.0.0.0",
  ])("%p is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("any IPv4 address, with and without port", () => {
    fc.assert(
      fc.property(ipv4, fc.nat(65_535), (text, port) => {
        fc.pre(text !== "0.0.0.0");
        expect(parseAddress(text)?.reveal()).toBe(text);
        expect(parseAddress(`${text}:${port}`)?.reveal()).toBe(text);
        expect(parseAddress(`::ffff:${text}`)?.reveal()).toBe(text);
      }),
    );
  });

  test("any spelling of an IPv6 address gives the form that URLs give", () => {
    fc.assert(
      fc.property(ipv6, fc.nat(65_535), ({ values, text }, port) => {
        const plain = values.map((value) => value.toString(16)).join(":");
        const canonical = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
        fc.pre(canonical !== "::" && !canonical.startsWith("::ffff:"));
        expect(parseAddress(text)?.reveal()).toBe(canonical);
        expect(parseAddress(`[${text}]:${port}`)?.reveal()).toBe(canonical);
      }),
      { numRuns: 500 },
    );
  });

  test("accepts what the platform accepts, and nothing else", () => {
    fc.assert(
      fc.property(nearly(Array.from("0129afF:.")), (text) => {
        expect(parseBareAddress(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2_000 },
    );
  });

  test("the canonical form is read as itself", () => {
    const text = fc.oneof(nearly(Array.from("01f:.%[]/ e")), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(text, (input) => {
        const canonical = parseAddress(input)?.reveal();
        fc.pre(canonical !== undefined);
        expect(parseAddress(canonical)?.reveal()).toBe(canonical);
      }),
    );
  });

  test("no text throws", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(text, fc.constantFrom("%s", "[%s]:1", "fe80::1%%s", "%s:1"), (noise, shape) => {
        const address = parseAddress(shape.replace("%s", () => noise))?.reveal();
        if (address !== undefined) expect(isIP(address.replace(/%.*/, ""))).not.toBe(0);
      }),
    );
  });
});

describe("numbers", () => {
  test("IPv4 is an unsigned 32-bit number", () => {
    expect(parseIpv4("1.2.3.4")).toBe(0x01020304);
    expect(parseIpv4("255.255.255.255")).toBe(0xffffffff);
    expect(parseIpv4("0.0.0.0")).toBe(0);
    expect(parseIpv4("::1")).toBeUndefined();
  });

  test("IPv6 is eight groups", () => {
    expect(parseIpv6("2001:db8::1.2.3.4")).toEqual([0x2001, 0xdb8, 0, 0, 0, 0, 0x102, 0x304]);
    expect(parseIpv6("::")).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(parseIpv6("1.2.3.4")).toBeUndefined();
  });

  test("any groups, written out, are read back", () => {
    fc.assert(
      fc.property(groups, (values) => {
        const text = values.map((value) => value.toString(16)).join(":");
        expect(parseIpv6(text)).toEqual(values);
      }),
    );
  });
});

test("the unspecified addresses are addresses where they stand alone", () => {
  expect(parseBareAddress("0.0.0.0")?.reveal()).toBe("0.0.0.0");
  expect(parseBareAddress("0:0::0")?.reveal()).toBe("::");
  expect(parseBareAddress("1.2.3.4:80")).toBeUndefined();
  expect(parseBareAddress("[::1]")).toBeUndefined();
  expect(parseBareAddress("fe80::1%eth0")).toBeUndefined();
});
