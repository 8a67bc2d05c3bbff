/**
 * No input costs more than a few times what a plain one of its size costs: nobody can keep a core busy with a trickle of
 * chosen bytes. Each case is the fastest of several rounds beside the fastest of the plain input in the same run.
 */

import { expect, test } from "bun:test";

import { decodeAmpPath } from "../src/frontend/ampcache/amp-path.ts";
import { parseByteRange } from "../src/frontend/http/byte-range.ts";
import { clientAddress, proxyAddress } from "../src/frontend/http/peer-address.ts";
import { servePrometheus } from "../src/frontend/http/prometheus-route.ts";
import { cleanPath, decodePath } from "../src/frontend/http/request-target.ts";
import { FrameReader } from "../src/link/socket/frame.ts";
import { decodeClientPoll } from "../src/messages/client-poll.ts";
import { decodeProxyAnswer } from "../src/messages/proxy-answer.ts";
import { decodeProxyPoll } from "../src/messages/proxy-poll.ts";
import { firstCandidateAddress } from "../src/messages/sdp-candidates.ts";
import { writeDescription } from "../src/messages/session-description.ts";
import { decodeUtf8 } from "../src/messages/utf8.ts";
import { aRequest } from "./kit/requests.ts";

/** Bytes of the longest body, and of the longest head of a request. */
const BODY = 100_000;
const HEAD = 64_000;

/** A hostile input may cost so many times what a plain one costs: more than noise, less than what pays for an attack. */
const MOST = 5;
/** Below this, in ms, nothing is an attack, and a ratio only noise. */
const CHEAP = 1;

/** Milliseconds that a machine that is busy with other things is given to show how fast it can be. */
const PATIENCE = 2_000;

/** The fastest of 15 rounds, in ms, or of as many as fit into the patience while none is fast enough. */
function fastest(work: () => unknown, enough: number): number {
  const end = performance.now() + PATIENCE;
  let ms = Infinity;
  for (let round = 0; round < 15 || (ms >= enough && performance.now() < end); round++) {
    const start = performance.now();
    work();
    ms = Math.min(ms, performance.now() - start);
  }
  return ms;
}

function expectCheap(work: () => unknown, plain: () => unknown): void {
  const most = Math.max(CHEAP, MOST * fastest(plain, Infinity));
  expect(fastest(work, most)).toBeLessThan(most);
}

/** So many times a piece, as fit into a body. */
const fill = (piece: string, size = BODY): string => piece.repeat(Math.floor(size / piece.length));

const SDP_LINES = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 x y\r\n";
const offerOf = (sdp: string): string => JSON.stringify({ type: "offer", sdp });
const pollOf = (members: string): string =>
  `{"Sid":"s","Version":"1.3","Type":"standalone","NAT":"open",${members}}`;
const clientOf = (offer: string): string => `1.0\n{"offer":${JSON.stringify(offer)}}`;

/** What polls of usual length cost, as many as have together the length of the longest body. */
function usualPolls(): void {
  const poll = pollOf('"Clients":8,"AcceptedRelayPattern":"snowflake.torproject.net$"');
  for (let length = 0; length < BODY; length += poll.length) decodeProxyPoll(poll);
}

test.each([
  ["an escaped backslash before each quote", `"x":"${fill("\\\\")}"`],
  ["escaped quotes", `"x":"${fill('\\"')}"`],
  ["backslashes, a quote, and so on", `"x":"${fill(`${"\\\\".repeat(50)}\\"`)}"`],
  ["escapes of six characters", `"x":"${fill("\\u0041")}"`],
  ["deep arrays", `"x":${"[".repeat(9_000)}${"]".repeat(9_000)}`],
  ["deep objects", `"x":${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`],
  ["arrays without end", `"x":${fill("[")}`],
  ["many members", `${fill('"a":1,')}"b":1`],
  ["many members of ours", `${fill('"Sid":"a",')}"b":1`],
  ["the same in odd letters", `${fill('"\\u017fid":"a",')}"b":1`],
  ["a long name", `"${fill("a")}":1`],
  ["a long name of odd letters", `"${fill("\u017f", BODY / 2)}":1`],
  ["a long number", `"Clients":${fill("9")}`],
  ["a long number elsewhere", `"x":${fill("9")}`],
  ["many numbers", `"x":[${fill("1e5,")}1]`],
  ["many literals", `"x":[${fill("null,")}1]`],
  ["white space", `"x":${fill(" ")}1`],
  ["a string without end", `"x":"${fill("a")}`],
  ["quotes without end", fill('"')],
])("a poll with %s", (_, members) => {
  const text = pollOf(members);
  expectCheap(() => decodeProxyPoll(text), usualPolls);
});

test.each([
  ["quotes", offerOf(fill('"', BODY / 4))],
  ["control characters", offerOf(fill("\u0001", BODY / 12))],
  ["backslashes", offerOf(fill("\\", BODY / 4))],
  ["many members", `{"type":"offer","sdp":"",${fill('"a":1,', BODY / 2)}"b":1}`],
  ["numbers without end", `{"type":"offer","sdp":"","x":${fill("9")}}`],
  ["many numbers", `{"type":"offer","sdp":"","x":[${fill("1e9,", BODY - 100)}1]}`],
  ["deep arrays", `{"type":"offer","sdp":"","x":${"[".repeat(9_000)}${"]".repeat(9_000)}}`],
])("an offer with %s", (_, offer) => {
  const text = clientOf(offer);
  expectCheap(() => decodeClientPoll(text), usualPolls);
});

test("an answer of quotes", () => {
  const answer = offerOf(`a=candidate${fill('"', BODY / 4)}`);
  const text = JSON.stringify({ Version: "1.3", Sid: "s", Answer: answer });
  expectCheap(() => decodeProxyAnswer(text), usualPolls);
});

test.each([
  ["empty lines", fill("\r\n")],
  ["short lines", fill("a=x\r\n")],
  ["candidates", fill("a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n")],
  ["IPv6 candidates", fill("a=candidate:1 1 udp 1 1:2:3:4:5:6:7:8 1 typ host\r\n")],
  ["a candidate of many words", `a=candidate:1 1 udp 1 192.0.2.1 1 typ host ${fill("a ")}\r\n`],
  ["a candidate of colons", `a=candidate:1 1 udp 1 ${fill(":")} 1 typ host\r\n`],
])("an SDP of %s", (_, lines) => {
  const hostile = writeDescription(offerOf(SDP_LINES + lines));
  const plain = writeDescription(
    offerOf(
      SDP_LINES + fill("a=candidate:1 1 udp 1 192.0.2.1 1 typ host generation 0 ufrag x\r\n"),
    ),
  );
  expectCheap(
    () => firstCandidateAddress(hostile),
    () => firstCandidateAddress(plain),
  );
});

test.each([
  ["bad bytes", () => 0xff],
  ["truncated sequences", (i: number) => (i % 3 === 0 ? 0x61 : 0xe2)],
] as const)("a body of %s", (_, byteAt) => {
  const hostile = Uint8Array.from({ length: BODY }, (_unused, i) => byteAt(i));
  expectCheap(() => decodeUtf8(hostile), usualPolls);
});

test.each([
  ["commas", fill(",", HEAD)],
  ["private addresses", fill("10.0.0.1,", HEAD)],
  ["private IPv6 addresses", fill("fe80::1,", HEAD)],
  ["colons", fill(":", HEAD)],
  ["brackets", fill("[", HEAD)],
  ["for= without end", fill("for=;", HEAD)],
  ["parts", fill(";", HEAD)],
])("address headers of %s", (_, text) => {
  const headers = new Map([
    ["forwarded", text],
    ["x-forwarded-for", text],
  ]);
  const plain = new Map([["x-forwarded-for", fill("10.11.12.13, ", HEAD)]]);
  const socket = { remoteAddress: "192.0.2.1" };
  expectCheap(
    () => [clientAddress(headers, socket), proxyAddress(headers, socket, 100)],
    () => clientAddress(plain, socket),
  );
});

test.each([
  ["slashes", fill("/", HEAD)],
  ["dots", fill("/..", HEAD)],
  ["escapes", fill("/%2e", HEAD)],
  ["escaped slashes", fill("%2f", HEAD)],
  ["line ends", `0/${fill("\r\n", HEAD)}`],
])("a path of %s", (_, path) => {
  const plain = `/amp/client/0/${fill("a", HEAD)}`;
  const decode = (text: string) => [cleanPath(text), decodePath(text), decodeAmpPath(text)];
  expectCheap(
    () => decode(path),
    () => decode(plain),
  );
});

test("a range of digits without end", () => {
  const hostile = `bytes=${fill("9", HEAD)}-${fill("9", HEAD)}`;
  expectCheap(
    () => parseByteRange(hostile, 100),
    () => parseByteRange("bytes=0-1", 100),
  );
});

/** What Prometheus sends. */
const USUAL_ACCEPT =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";

test.each([
  ["names", fill("name[]=a&", HEAD), USUAL_ACCEPT],
  ["parameters", fill("a&", HEAD), USUAL_ACCEPT],
  ["clauses", "", fill("a;q=0.1,", HEAD)],
  ["commas", "", fill(",", HEAD)],
  ["parts of a clause", "", fill("a=b;", HEAD)],
])("a scrape with many %s", async (_, query, list) => {
  const source = { exposition: () => Promise.resolve("") };
  const fastestScrape = async (parameters: string, header: string) => {
    const request = aRequest({
      target: `/prometheus?${parameters}`,
      fields: { accept: header, "accept-encoding": header },
    });
    let ms = Infinity;
    for (let round = 0; round < 100; round++) {
      const start = performance.now();
      await servePrometheus(source, request);
      ms = Math.min(ms, performance.now() - start);
    }
    return ms;
  };
  const usual = await fastestScrape("name[]=a", USUAL_ACCEPT);
  // Without a floor: a bounded list costs less than a usual one, whatever its length.
  expect(await fastestScrape(query, list)).toBeLessThan(MOST * usual);
});

test("frames of no length, byte by byte or at once", () => {
  const frame = Buffer.alloc(9);
  frame.writeUInt32LE(5, 0);
  const many = Buffer.concat(Array.from({ length: BODY / 9 }, () => frame));
  expectCheap(() => new FrameReader(() => true).push(many), usualPolls);
});
