import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { scrub } from "../../src/log/scrubber.ts";
import vectors from "../vectors/log_scrub.json";

/** Where this scrubber takes out more than upstream's does, deliberately. */
const STRICTER = new Map([
  // all groups of a dotted sequence
  ["1.2.3.4.5", "[scrubbed]"],
  // the second of two addresses with one character between them
  ["1.2.3.4,5.6.7.8", "[scrubbed],[scrubbed]"],
  ["1.2.3.4 5.6.7.8", "[scrubbed] [scrubbed]"],
  // next to letters and underscores
  ["v1.2.3.4", "v[scrubbed]"],
  ["x1.2.3.4", "x[scrubbed]"],
  ["_1.2.3.4", "_[scrubbed]"],
  ["1.2.3.4_", "[scrubbed]_"],
  ["1.2.3.4a", "[scrubbed]a"],
  // next to colons
  ["ip:1.2.3.4", "ip:[scrubbed]"],
  ["1.2.3.4:", "[scrubbed]:"],
  ["1.2.3.4:123456", "[scrubbed]"],
  // zones
  ["fe80::1%eth0", "[scrubbed]"],
  ["[fe80::1%eth0]:80", "[scrubbed]"],
  // candidates
  ["a=candidate:1 1 udp 2122260223 8.8.8.8 56688 typ host", "[scrubbed]"],
]);

describe("upstream's lines", () => {
  test.each(vectors.lines)("$in", ({ in: line, out }) => {
    expect(scrub(line)).toBe(STRICTER.get(line) ?? out);
  });

  test("the differences are differences", () => {
    const upstream = new Map(vectors.lines.map(({ in: line, out }) => [line, out]));
    for (const [line, stricter] of STRICTER) {
      expect(upstream.get(line)).toBeDefined();
      expect(upstream.get(line)).not.toBe(stricter);
    }
  });
});

/** What upstream takes for an address, with what must stand on either side of it. */
function upstreamAddress(): RegExp {
  const ipv4 = String.raw`\d{1,3}(?:\.\d{1,3}){3}`;
  const group = "[0-9a-fA-F]{0,4}";
  const colon = "(?::|%3a|%3A)";
  const full = `(?:${group}${colon}){5,7}${group}`;
  const half = `(?:${group}${colon}){0,5}${group}`;
  const ipv6 = `(?:${full}|${half}${colon}${colon}${half})(?:${ipv4})?`;
  const address = String.raw`(?:${ipv4}|\[${ipv6}\]|${ipv6})(?::\d{1,5})?`;
  return new RegExp(String.raw`(?:^|[^0-9A-Za-z_:])${address}(?=$|:\s|[^0-9A-Za-z_:])`);
}

const piece = fc.constantFrom(
  ...["1", "2", "12", "3a", "fe80", "a", "b", "x", "_", ":", "::", ".", "%", "%3A", "[", "]", " "],
  ...["1.2.3.4", "::1", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "12:34:56", "é", ",", "\n", "AA:BB:CC"],
);
const line = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));

describe("any line", () => {
  test("holds no digit afterwards that upstream would take out", () => {
    const pattern = upstreamAddress();
    for (const { in: text, out } of vectors.lines) expect(pattern.test(text)).toBe(text !== out);
    fc.assert(
      fc.property(line, (text) => {
        const rest = scrub(text).replaceAll(/%3a/gi, ":");
        expect(pattern.exec(rest)?.[0] ?? "").not.toMatch(/[0-9]/);
      }),
      { numRuns: 5000 },
    );
  });

  test("is not changed by a second scrubbing", () => {
    fc.assert(
      fc.property(line, (text) => {
        const once = scrub(text);
        expect(scrub(once)).toBe(once);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("session descriptions", () => {
  const sdp = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\na=ice-pwd:secret\r\n";
  const offer = JSON.stringify({ type: "offer", sdp });

  test.each([
    ["candidate", "got a=candidate:1 1 udp 1 x.local 9 typ host", "got [scrubbed]"],
    ["SDP", `from 1.2.3.4 ${sdp}`, "from [scrubbed] [scrubbed]"],
    ["SDP with bare line feeds", "v=0\no=-", "[scrubbed]"],
    ["escaped SDP", `bad ${JSON.stringify(sdp)}`, 'bad "[scrubbed]'],
    ["JSON", `bad ${offer}!`, 'bad {"type":"offer",[scrubbed]'],
    ["JSON in JSON", JSON.stringify({ offer }), '{"offer":"{\\"type\\":\\"offer\\",\\[scrubbed]'],
    ["JSON with spaces and capitals", '{ "SDP" : "x" }', "{ [scrubbed]"],
  ])("%s", (_, text, expected) => {
    expect(scrub(text)).toBe(expected);
  });

  test("words that only look like one stay", () => {
    const text = "v=0 sdp: a=b candidate v=01 no SDP";
    expect(scrub(text)).toBe(text);
  });

  test.each(["v=0\\", "sdp\\", '"sdp" ', "a=candidat"])("a megabyte of %s", (pattern) => {
    const text = pattern.repeat(Math.ceil(1e6 / pattern.length));
    const start = performance.now();
    scrub(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
