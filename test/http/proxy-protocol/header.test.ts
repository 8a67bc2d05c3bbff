import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { HEADER_BYTES, readProxyHeader } from "../../../src/http/proxy-protocol/header.ts";
import { anyBeginning } from "./any-header.ts";
import { binary, IPV4, IPV6, line, tlv, UNIX } from "./headers.ts";
import { readHeaderSlowly } from "./slow-header.ts";

const LONGEST_LINE =
  "TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535";

const VALID: readonly (readonly [name: string, header: Buffer, source: string | undefined])[] = [
  ["TCP4", line("TCP4 192.0.2.7 198.51.100.1 50000 443"), "192.0.2.7"],
  ["TCP4 at its ends", line("TCP4 255.255.255.255 0.0.0.0 65535 0"), "255.255.255.255"],
  ["TCP6", line("TCP6 2001:db8::7 2001:DB8::1 1 2"), "2001:db8::7"],
  ["TCP6 with an IPv4 address in it", line("TCP6 ::ffff:192.0.2.7 ::1 1 2"), "::ffff:192.0.2.7"],
  ["TCP6, two groups left out", line("TCP6 ::1:2:3:4:1.2.3.4 ::1 1 2"), "::1:2:3:4:1.2.3.4"],
  ["TCP6 at its longest", line(LONGEST_LINE), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["UNKNOWN", line("UNKNOWN"), undefined],
  ["UNKNOWN with addresses", line("UNKNOWN 192.0.2.7 192.0.2.8 1 2"), undefined],
  ["UNKNOWN with anything", line(`UNKNOWN ${"x".repeat(91)}`), undefined],
  ["TCP over IPv4", binary(0x21, 0x11, IPV4), "192.0.2.7"],
  ["UDP over IPv4", binary(0x21, 0x12, IPV4), "192.0.2.7"],
  ["TCP over IPv6", binary(0x21, 0x21, IPV6), "2001:db8:0:0:0:0:0:abcd"],
  ["a unix socket", binary(0x21, 0x31, UNIX), undefined],
  ["no family", binary(0x21, 0x00), undefined],
  ["no family, with bytes", binary(0x21, 0x00, tlv(9)), undefined],
  ["a family without a protocol", binary(0x21, 0x10, IPV4), undefined],
  ["IPv4 with TLVs", binary(0x21, 0x11, IPV4, tlv(3), tlv(500)), "192.0.2.7"],
  ["IPv6 with TLVs", binary(0x21, 0x21, IPV6, tlv(0)), "2001:db8:0:0:0:0:0:abcd"],
  ["LOCAL", binary(0x20, 0x00), undefined],
  ["LOCAL with an address", binary(0x20, 0x11, IPV4), undefined],
  ["LOCAL with an unknown family", binary(0x20, 0xff, tlv(1)), undefined],
  ["the most bytes", binary(0x21, 0x11, IPV4, Buffer.alloc(HEADER_BYTES - 28)), "192.0.2.7"],
];

const INVALID: readonly (readonly [name: string, bytes: Buffer])[] = [
  ["a request", Buffer.from("GET / HTTP/1.1\r\n")],
  ["a request like a header", Buffer.from("PROPFIND / HTTP/1.1\r\n")],
  ["a ClientHello", Buffer.from("160301", "hex")],
  ["small letters", Buffer.from("proxy TCP4")],
  ["no family", line("")],
  ["an unknown family", line("UDP4 192.0.2.7 192.0.2.8 1 2")],
  ["UNKNOWN with more letters", line("UNKNOWNS")],
  ["TCP4 with IPv6", line("TCP4 ::1 ::1 1 2")],
  ["TCP6 with IPv4", line("TCP6 192.0.2.7 192.0.2.8 1 2")],
  ["leading zeros", line("TCP4 192.0.02.7 192.0.2.8 1 2")],
  ["256", line("TCP4 192.0.2.256 192.0.2.8 1 2")],
  ["three octets", line("TCP4 192.0.2 192.0.2.8 1 2")],
  ["an address of nothing", line("TCP6  ::1 1 2")],
  ["brackets", line("TCP6 [::1] ::1 1 2")],
  ["a zone", line("TCP6 fe80::1%eth0 ::1 1 2")],
  ["a wrong destination", line("TCP4 192.0.2.7 nobody 1 2")],
  ["one port", line("TCP4 192.0.2.7 192.0.2.8 1")],
  ["three ports", line("TCP4 192.0.2.7 192.0.2.8 1 2 3")],
  ["port 65536", line("TCP4 192.0.2.7 192.0.2.8 1 65536")],
  ["port 01", line("TCP4 192.0.2.7 192.0.2.8 01 2")],
  ["two spaces", line("TCP4  192.0.2.7 192.0.2.8 1 2")],
  ["a space at the end", line("TCP4 192.0.2.7 192.0.2.8 1 2 ")],
  ["a line feed alone", Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n\r\n")],
  ["108 bytes", line(`UNKNOWN ${"x".repeat(92)}`)],
  ["107 bytes without an end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(93)}`)],
  ["version 1 in binary", binary(0x11, 0x11, IPV4)],
  ["version 3", binary(0x31, 0x11, IPV4)],
  ["an unknown command", binary(0x22, 0x11, IPV4)],
  ["an unknown family in binary", binary(0x21, 0x41, UNIX)],
  ["an unknown protocol", binary(0x21, 0x13, IPV4)],
  ["too short for IPv4", binary(0x21, 0x11, IPV4.subarray(1))],
  ["too short for IPv6", binary(0x21, 0x21, IPV6.subarray(1))],
  ["too short for unix sockets", binary(0x21, 0x31, UNIX.subarray(1))],
  ["too long", binary(0x21, 0x11, IPV4, Buffer.alloc(HEADER_BYTES - 27))],
  ["too long for LOCAL", binary(0x20, 0x00, Buffer.alloc(HEADER_BYTES - 15))],
  ["too long, before it is there", binary(0x21, 0x11, IPV4, Buffer.alloc(9_999)).subarray(0, 16)],
];

describe("a header", () => {
  test.each(VALID)("%s", (_, header, source) => {
    expect(readProxyHeader(header)).toEqual({ source, length: header.length });
  });

  test.each(VALID)("%s: is incomplete wherever it is cut", (_, header) => {
    for (let end = 0; end < header.length; end++) {
      expect(readProxyHeader(header.subarray(0, end))).toBe("incomplete");
    }
  });

  test.each(VALID)("%s: ends before what follows, whatever that is", (_, header, source) => {
    fc.assert(
      fc.property(fc.uint8Array(), (rest) => {
        const bytes = Buffer.concat([header, rest]);
        expect(readProxyHeader(bytes)).toEqual({ source, length: header.length });
      }),
      { numRuns: 20 },
    );
  });

  test.each(INVALID)("is not: %s", (_, bytes) => {
    expect(readProxyHeader(bytes)).toBe("invalid");
  });
});

test("the longest line has 107 bytes, or nearly", () => {
  expect(line(`UNKNOWN ${"x".repeat(91)}`).length).toBe(107);
  expect(line(LONGEST_LINE).length).toBe(104);
});

test("what is read of some bytes is never taken back when more come", () => {
  const nearly = fc
    .tuple(fc.constantFrom(...VALID), fc.nat(), fc.integer({ min: 0, max: 255 }))
    .map(([[, header], place, byte]) => {
      const changed = Buffer.from(header);
      changed[place % header.length] = byte;
      return changed;
    });
  fc.assert(
    fc.property(nearly, fc.uint8Array(), fc.nat(), (start, more, place) => {
      const bytes = Buffer.concat([start, more]);
      const whole = readProxyHeader(bytes);
      const part = readProxyHeader(bytes.subarray(0, place % (bytes.length + 1)));
      expect([whole, "incomplete"]).toContainEqual(part);
      if (typeof whole !== "string") expect(whole.length).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 3_000 },
  );
});

test("an address of a binary header is read as it was written", () => {
  const octets = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(octets, groups, (address, written) => {
      const ipv4 = binary(0x21, 0x11, address, IPV4.subarray(4));
      expect(readProxyHeader(ipv4)).toMatchObject({ source: address.join(".") });
      const bytes = Buffer.alloc(16);
      for (const [n, group] of written.entries()) bytes.writeUInt16BE(group, 2 * n);
      const source = written.map((group) => group.toString(16)).join(":");
      expect(readProxyHeader(binary(0x21, 0x21, bytes, IPV6.subarray(16)))).toMatchObject({
        source,
      });
    }),
  );
});

test("two readers agree on what a connection begins with", () => {
  fc.assert(
    fc.property(anyBeginning, (bytes) => {
      expect(readProxyHeader(bytes)).toEqual(readHeaderSlowly([...bytes]));
    }),
    { numRuns: 3000 },
  );
});

test("many of these are headers, and many are incomplete or invalid", () => {
  const readings = fc.sample(anyBeginning, 1000).map((bytes) => readHeaderSlowly([...bytes]));
  for (const kind of ["incomplete", "invalid"])
    expect(readings.filter((reading) => reading === kind).length).toBeGreaterThan(50);
  expect(readings.filter((reading) => typeof reading === "object").length).toBeGreaterThan(100);
});
