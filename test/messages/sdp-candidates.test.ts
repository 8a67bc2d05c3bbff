import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";

import * as fc from "fast-check";

import { candidateAddresses, firstCandidateAddress } from "../../src/messages/sdp-candidates.ts";
import { writeDescription } from "../../src/messages/session-description.ts";
import vectors from "../vectors/sdp_candidates.json";

const SESSION = ["v=0", "o=- 1 2 IN IP4 0.0.0.0", "s=-", "t=0 0"];
const MEDIA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";

function sdpOf(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}

function addresses(sdp: string): string[] {
  return candidateAddresses(sdp).map((address) => address.reveal());
}

/** The addresses of a description with these candidates. */
function ofCandidates(...candidates: readonly string[]): string[] {
  return addresses(sdpOf(...SESSION, MEDIA, ...candidates.map((text) => `a=candidate:${text}`)));
}

describe("reference cases", () => {
  test.each(vectors.cases)("$name", ({ sdp, addrs }) => {
    expect(addresses(sdp)).toEqual(addrs);
    const offer = JSON.stringify({ type: "offer", sdp });
    expect(firstCandidateAddress(writeDescription(offer))?.reveal()).toBe(addrs[0]);
  });
});

describe("the description", () => {
  const candidate = "a=candidate:1 1 udp 1 8.8.8.8 9 typ host";

  test.each([
    [
      "every optional line",
      [
        "i=x",
        "u=x",
        "e=x",
        "p=x",
        "c=x",
        "b=x",
        "b=y",
        "t=0 0",
        "r=x",
        "t=1 2",
        "z=x",
        "k=x",
        "a=x",
      ],
    ],
    ["several times", ["t=0 0", "t=1 1", "r=x", "r=y", "a=x", "a=y"]],
    ["empty lines", ["", "t=0 0", "", ""]],
  ])("%s", (_, session) => {
    const sdp = sdpOf("v=0", "o=x", "s=", ...session, MEDIA, candidate);
    expect(addresses(sdp)).toEqual(["8.8.8.8"]);
  });

  test.each([
    ["no version", ["o=x", "s=-", "t=0 0", MEDIA, candidate]],
    ["version twice", ["v=0", "v=0", "o=x", "s=-", "t=0 0", MEDIA, candidate]],
    ["information after the time", ["v=0", "o=x", "s=-", "t=0 0", "i=x", MEDIA, candidate]],
    ["two connections", ["v=0", "o=x", "s=-", "c=x", "c=x", "t=0 0", MEDIA, candidate]],
    ["repeat without time", ["v=0", "o=x", "s=-", "r=x", "t=0 0", MEDIA, candidate]],
    ["key after an attribute", ["v=0", "o=x", "s=-", "t=0 0", "a=x", "k=x", MEDIA, candidate]],
    ["two keys", ["v=0", "o=x", "s=-", "t=0 0", "k=x", "k=x", MEDIA, candidate]],
    ["time inside media", [...SESSION, MEDIA, candidate, "t=0 0"]],
    ["no equals sign", [...SESSION, MEDIA, candidate, "a"]],
    ["space before the equals sign", [...SESSION, MEDIA, candidate, "a =x"]],
    ["upper case type", [...SESSION, MEDIA, candidate, "A=x"]],
    ["junk at the end", [...SESSION, MEDIA, candidate, "junk"]],
  ])("%s: none", (_, lines) => {
    expect(addresses(sdpOf(...lines))).toEqual([]);
  });

  test("an unfinished last line: none", () => {
    expect(addresses(`${sdpOf(...SESSION, MEDIA, candidate)}a=mid:0`)).toEqual([]);
  });

  test("lines inside a media section come in any order", () => {
    const lines = ["b=x", "a=mid:0", "c=IN IP4 0.0.0.0", "k=x", "i=x"];
    expect(addresses(sdpOf(...SESSION, MEDIA, candidate, ...lines))).toEqual(["8.8.8.8"]);
  });

  test("only candidate attributes count", () => {
    const lines = ["a=candidates:1 1 udp 1 8.8.8.8 9 typ host", "a=x:a=candidate:1", "a=candidate"];
    expect(addresses(sdpOf(...SESSION, MEDIA, ...lines))).toEqual([]);
  });
});

describe("a candidate", () => {
  test.each([
    ["12345678901234567890123456789012 1 udp 1 8.8.8.8 9 typ host", "8.8.8.8"],
    ["+/aZ9 99999 tcp 9999999999 8.8.8.8 65535 typ relay", "8.8.8.8"],
    ["1 1 udp 1 8.8.8.8 9 typ host ", "8.8.8.8"],
    ["1 1 udp 1 8.8.8.8 9 typ srflx raddr name.local rport 0 generation 0", "8.8.8.8"],
    ["1 1 udp 1 8.8.8.8 9 typ host generation", "8.8.8.8"],
    ["1 1 TCP 1 8.8.8.8 9 typ host ufrag tcptype tcptype so", "8.8.8.8"],
    ["1 1 TCP 1 8.8.8.8 9 typ host tcptype PASSIVE", "8.8.8.8"],
    ["1 1 udp 1 0.0.0.0 9 typ host", "0.0.0.0"],
    ["1 1 udp 1 1.2.3.4%eth0 9 typ host", "1.2.3.4"],
  ])("%s", (text, address) => {
    expect(ofCandidates(text)).toEqual([address]);
  });

  test.each([
    "",
    "123456789012345678901234567890123 1 udp 1 8.8.8.8 9 typ host",
    "1  udp 1 8.8.8.8 9 typ host",
    "1 100000 udp 1 8.8.8.8 9 typ host",
    "1 -1 udp 1 8.8.8.8 9 typ host",
    "1 1 ud 1 8.8.8.8 9 typ host",
    "1 1 udp 10000000000 8.8.8.8 9 typ host",
    "1 1 udp 1e3 8.8.8.8 9 typ host",
    "1 1 udp 1 8.8.8.8:1 9 typ host",
    "1 1 udp 1 [2a00::1] 9 typ host",
    "1 1 udp 1 8.8.8.8 65536 typ host",
    "1 1 udp 1 8.8.8.8 9 type host",
    "1 1 udp 1 8.8.8.8 9 typ toString",
    "1 1 udp 1 8.8.8.8 9 typ srflx raddr 1.1.1.1 rport 65536",
    "1 1 udp 1 8.8.8.8 9 typ srflx raddr",
    "1 1 udp 1 8.8.8.8 9 typ srflx raddr 1.1.1.1 port 5",
    "1 1 tcp 1 8.8.8.8 9 typ host tcptype",
    "1 1 tcp 1 8.8.8.8 9 typ host tcptype active tcptype x",
  ])("%p is left out, and nothing else is", (text) => {
    const good = "1 1 udp 1 9.9.9.9 9 typ host";
    expect(ofCandidates(good, text, good)).toEqual(["9.9.9.9", "9.9.9.9"]);
  });

  test("priorities are 32 bits wide", () => {
    const wrapped = `1 1 udp ${2 ** 32 + 5} 1.1.1.1 9 typ host`;
    const lower = "1 1 udp 4 2.2.2.2 9 typ host";
    const higher = "1 1 udp 6 3.3.3.3 9 typ host";
    expect(ofCandidates(wrapped, lower, higher)).toEqual(["3.3.3.3", "1.1.1.1", "2.2.2.2"]);
  });

  test("without priority the first component comes first", () => {
    const first = "1 1 udp 0 1.1.1.1 9 typ host";
    const second = "1 2 udp 0 2.2.2.2 9 typ host";
    expect(ofCandidates(first, second)).toEqual(["1.1.1.1", "2.2.2.2"]);
  });

  test("the order depends on type and priority, not on the lines", () => {
    const type = fc.constantFrom("host", "prflx", "srflx", "relay");
    const candidates = fc.uniqueArray(fc.tuple(type, fc.integer({ min: 1, max: 2 ** 32 - 1 })), {
      selector: ([name, priority]) => `${name} ${priority}`,
      maxLength: 20,
    });
    const shuffled = candidates.chain((list) => {
      const lines = list.map(
        ([name, priority], i) => `1 1 udp ${priority} 1.0.0.${i} 9 typ ${name}`,
      );
      return fc.tuple(fc.constant(lines), fc.shuffledSubarray(lines, { minLength: lines.length }));
    });
    fc.assert(
      fc.property(shuffled, ([lines, otherwise]) => {
        const order = ofCandidates(...lines);
        expect(order).toHaveLength(lines.length);
        expect(ofCandidates(...otherwise)).toEqual(order);
      }),
    );
  });
});

describe("an offer", () => {
  test.each([
    "",
    "null",
    "[]",
    '"x"',
    "{}",
    '{"sdp":1}',
    '{"sdp":null}',
    '{"sdp":""}',
    "{",
    "8.8.8.8",
  ])("%p has no address", (offer) => {
    expect(firstCandidateAddress(writeDescription(offer))).toBeUndefined();
  });

  test("any JSON is read without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (offer) => {
        expect(firstCandidateAddress(writeDescription(offer))).toBeUndefined();
      }),
    );
  });

  test("any damage leaves addresses or nothing", () => {
    const sdp = fc.constantFrom(...vectors.cases.map((vector) => vector.sdp));
    const noise = fc.string({
      unit: fc.constantFrom(...Array.from("\r\n=mavt: 018.%")),
      maxLength: 6,
    });
    fc.assert(
      fc.property(sdp, fc.nat(400), fc.nat(8), noise, (text, at, removed, inserted) => {
        const damaged = text.slice(0, at) + inserted + text.slice(at + removed);
        for (const address of addresses(damaged)) expect(isIP(address)).not.toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
