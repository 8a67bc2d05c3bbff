import { describe, expect, test } from "bun:test";
import { BlockList, isIPv6 } from "node:net";

import * as fc from "fast-check";

import { isPublic } from "../../src/messages/address-ranges.ts";
import { parseBareAddress } from "../../src/messages/address-text.ts";

function publicText(text: string): boolean {
  const address = parseBareAddress(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return isPublic(address);
}

/** First and last address of every range that is not public. */
const RANGES = [
  ["0.0.0.0", "0.255.255.255"],
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["169.254.0.0", "169.254.255.255"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.0.0.0", "192.0.0.255"],
  ["192.0.2.0", "192.0.2.255"],
  ["192.88.99.0", "192.88.99.255"],
  ["192.168.0.0", "192.168.255.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["198.51.100.0", "198.51.100.255"],
  ["203.0.113.0", "203.0.113.255"],
  ["224.0.0.0", "255.255.255.255"],
  ["::", "::1"],
  ["100::", "100::ffff:ffff:ffff:ffff"],
  ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
] as const;

describe("public addresses", () => {
  test.each(RANGES)("not from %s to %s", (first, last) => {
    expect(publicText(first)).toBe(false);
    expect(publicText(last)).toBe(false);
  });

  test.each([
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    // An often repeated slip for 198.18.0.0/15.
    "192.18.0.1",
    "192.19.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::2",
    "64:ff9b::1",
    "100:0:0:1::",
    "2001:200::",
    "2001:db7:ffff::",
    "2001:db9::",
    "2003::",
    "fbff::1",
    "fec0::1",
  ])("%s", (text) => {
    expect(publicText(text)).toBe(true);
  });

  test("are those in none of the ranges", () => {
    const ranges = new BlockList();
    for (const [first, last] of RANGES) {
      ranges.addRange(first, last, isIPv6(first) ? "ipv6" : "ipv4");
    }
    const octet = fc.oneof(fc.constantFrom(0, 10, 100, 127, 172, 192, 198, 203, 255), fc.nat(255));
    const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
    const group = fc.oneof(fc.constantFrom(0, 1, 0x100, 0x2001, 0xdb8, 0xffff), fc.nat(0xffff));
    const ipv6 = fc
      .array(group, { minLength: 8, maxLength: 8 })
      .map((values) => values.map((value) => value.toString(16)).join(":"));
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (text) => {
        expect(publicText(text)).toBe(!ranges.check(text, isIPv6(text) ? "ipv6" : "ipv4"));
      }),
      { numRuns: 1_000 },
    );
  });

  test("an IPv4-mapped address is judged as IPv4", () => {
    expect(publicText("::ffff:10.0.0.1")).toBe(false);
    expect(publicText("::ffff:8.8.8.8")).toBe(true);
  });
});
