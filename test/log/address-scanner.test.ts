import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { replaceAddresses } from "../../src/log/address-scanner.ts";
import { ipv4, ipv6 } from "./addresses.ts";

const replace = (text: string) => replaceAddresses(text, "<>");

describe("what goes", () => {
  test.each([
    // IPv4
    ["0.0.0.0", "<>"],
    ["1.2.3.4.", "<>."],
    ["4.3.2.1.in-addr.arpa", "<>.in-addr.arpa"],
    ["80801.2.3.4", "<>"],
    ["1.2.3.4567", "<>"],
    ["9.1.2.3.4", "<>"],
    ["code:1.2.3.4:80: refused", "code:<>: refused"],
    ["1.2.3.4->5.6.7.8:90", "<>-><>"],
    ["1.2.3.4:5.6.7.8", "<>:<>"],
    ["1.2.3.4.5.6.7.8", "<>"],
    ["12:34:56:1.2.3.4", "12:34:56:<>"],
    ["1.2.3.4%3a80", "<>"],
    ["%2F1.2.3.4%2F", "%2F<>%2F"],
    ["[1.2.3.4]:80", "[<>]:80"],
    // IPv6, whole and compressed
    ["2001:db8:0:0:8:800:200C:417A", "<>"],
    ["2001:0db8:0000:0000:0008:0800:200c:417a", "<>"],
    ["2001:DB8::8:800:200C:417A", "<>"],
    ["2001:db8::", "<>"],
    ["fe80::/10", "<>/10"],
    ["2001:db8::1: EOF", "<>: EOF"],
    ["is 2001:db8::1.", "is <>."],
    ["2001:db8:0:0:0:0:0:1:443", "<>"],
    ["2001:db8::1,2001:db8::2 2001:db8::3", "<>,<> <>"],
    // embedded IPv4
    ["::ffff:192.0.2.1", "<>"],
    ["::192.0.2.1", "<>"],
    ["64:ff9b::192.0.2.33", "<>"],
    ["0:0:0:0:0:FFFF:129.144.52.38", "<>"],
    ["[::ffff:192.0.2.1]:80/", "<>/"],
    ["::ffff:192.0.2.1:80", "<>"],
    // zone, brackets, port
    ["fe80::1%eth0: refused", "<>: refused"],
    ["fe80::1%eth0.100.", "<>."],
    ["fe80::1%eth0:443", "<>"],
    ["[fe80::1%25eth0]:443/path", "<>/path"],
    ["fe80::1%a-b~c", "<>"],
    ["fe80::1%eth::", "<><>"],
    ["fe80::1%eth:a::x", "<><>x"],
    ["[2001:db8::1 open", "[<> open"],
    // percent-encoded
    ["ip=2001%3adb8%3A%3A1&x=1", "ip=<>&x=1"],
    ["ip%3A2001%3Adb8%3A%3A1", "ip%3A<>"],
    // next to words, and names before a colon
    ["ip:2001:db8::1", "ip:<>"],
    ["ip:::1", "ip:<>"],
    ["node:2001:db8::1", "node:<>"],
    ["node:::1", "node:<>"],
    ["source:1:2:3:4:5:6:7:8", "source:<>"],
    ["x2001:db8::1", "x<>"],
    ["_fe80::1_", "_<>_"],
    ["2001:db8::1x", "<>x"],
    ["ip:a:b:c::d", "ip:<>"],
    ["a:b::cx", "<>x"],
    ["port80:2001:db8::1", "port<>"],
    ["1.2.2001:db8::1", "1.2.<>"],
    ["1.2.3.4:2001:db8::1", "<><>"],
    ["_cafe:a::2_", "_cafe:<>_"],
  ])("%s", (text, expected) => {
    expect(replace(text)).toBe(expected);
  });
});

describe("what stays", () => {
  const pairs = (count: number) => Array.from({ length: count }, (_, i) => `${i % 7}A`).join(":");

  test.each([
    ["12:34:56"],
    ["2026-08-01T12:34:56.789Z"],
    ["2026/08/01 15:37:31.123456 up 1h2m3.5s"],
    ["01/Aug/2026:12:34:56 +0000"],
    ["2026.08.01, 1.2.3, v1.4.5-rc.1, 192.0.2"],
    ["Chrome/120.0.6099.109"],
    ["std::vector<int>, std::deque, Foo::Bar, snowflake::add, dead::new"],
    ["port 443, :8080, host:443, 1000 ms, 50%"],
    ["a: b, e: f, key:value, http://example.com:80/a:b"],
    [pairs(16)],
    [`sha-1 ${pairs(20)}`],
    [`fingerprint:${pairs(32)}: mismatch`],
    [`sha256:${pairs(32)}`],
    [`sha-256:${pairs(32)}`],
    ["2B280B23E1107BB62ABFC40DDCC8824814F80A72"],
  ])("%s", (text) => {
    expect(replace(text)).toBe(text);
  });

  test("only fingerprints may have so many groups", () => {
    expect(replace(pairs(15))).toBe("<>");
    expect(replace(`${pairs(16)}:123:456`)).toBe("<>");
    expect(replace(`${pairs(16)}::1`)).toBe("<>");
  });
});

describe("any address anywhere", () => {
  test("goes as a whole, and nothing else does", () => {
    const options = { digits: "0123456789", hex: "0123456789abcdef" };
    const around = fc.string({ unit: fc.constantFrom(..."gxyz_ =(,/é\"'&"), maxLength: 10 });
    fc.assert(
      fc.property(
        around,
        fc.oneof(ipv4(options), ipv6(options)),
        around,
        (before, address, after) => {
          // The end of a zone can't be told from a word that follows.
          const delimiter = address.includes("%") ? " " : "";
          expect(replace(before + address + delimiter + after)).toBe(
            `${before}<>${delimiter}${after}`,
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("leaves no digit of itself behind, whatever it is mixed with", () => {
    const options = { digits: "456789", hex: "456789abcdef" };
    const around = fc.string({ unit: fc.constantFrom(..."1122::..%[]x_ é,"), maxLength: 20 });
    fc.assert(
      fc.property(
        around,
        fc.oneof(ipv4(options), ipv6(options)),
        around,
        (before, address, after) => {
          const rest = replace(before + address + after)
            .replaceAll("%3a", "")
            .replaceAll("%3A", "");
          expect(rest).not.toMatch(/[4-9a-f]/i);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("text without digits and colons stays", () => {
    const word = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[0-9:]/g, ""));
    fc.assert(fc.property(word, (text) => expect(replace(text)).toBe(text)));
  });
});

describe("a megabyte of anything takes no time", () => {
  const patterns = ["1.1.1.", "1.", "1111.", ":::::", "1:1:1:1:", "a", "a:", "xa:", "%3a", "%"];
  const mixed = ["[::1%", "::1%a.", "1.1:", "1.2.3.4:1", "1.2.3.4:1:", "x::a", "AA:", "::1.1.1"];

  test.each([...patterns, ...mixed])("%s", (pattern) => {
    const text = pattern.repeat(Math.ceil(1e6 / pattern.length));
    const start = performance.now();
    replace(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
