/** What a message that waits keeps in memory: itself, and not the body or the header that it came in. */

import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";

import { proxyAddress } from "../../src/frontend/http/peer-address.ts";
import { decodeClientPoll } from "../../src/messages/client-poll.ts";
import { decodeProxyAnswer } from "../../src/messages/proxy-answer.ts";
import { decodeProxyPoll } from "../../src/messages/proxy-poll.ts";
import { decodeUtf8 } from "../../src/messages/utf8.ts";

const COUNT = 500;
const PADDING = "x".repeat(95_000);

/** Bytes of the heap that each of many values takes. */
function bytesEach(make: (n: number) => unknown): number {
  Bun.gc(true);
  const before = heapStats();
  const kept = Array.from({ length: COUNT }, (_, n) => make(n));
  Bun.gc(true);
  const after = heapStats();
  expect(kept.length).toBe(COUNT);
  return (
    (after.heapSize + after.extraMemorySize - before.heapSize - before.extraMemorySize) / COUNT
  );
}

function poll(n: number, padding: string): unknown {
  const body = `{"Sid":"session${n}","Version":"1.3","Type":"standalone","NAT":"open","AcceptedRelayPattern":"snowflake.torproject.net$","Ignored":"${padding}"}`;
  return decodeProxyPoll(decodeUtf8(Buffer.from(body)));
}

function offer(n: number, padding: string): unknown {
  const fingerprint = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";
  const description = JSON.stringify(JSON.stringify({ type: "offer", sdp: `v=${n}` }));
  const body = `1.0\n{"offer":${description},"fingerprint":"${fingerprint}","ignored":"${padding}"}`;
  return decodeClientPoll(decodeUtf8(Buffer.from(body)));
}

function answer(n: number, padding: string): unknown {
  const description = JSON.stringify(JSON.stringify({ type: "answer", sdp: `a=candidate ${n}` }));
  const body = `{"Sid":"session${n}","Version":"1.3","Answer":${description},"Ignored":"${padding}"}`;
  return decodeProxyAnswer(decodeUtf8(Buffer.from(body)));
}

function addressWithZone(n: number, padding: string): unknown {
  // The runtime copies a short zone by itself.
  const zone = `${"z".repeat(50)}${n}`;
  const fields = new Map([["x-forwarded-for", `${padding},2001:db8::1%${zone}`]]);
  return proxyAddress(fields, { remoteAddress: undefined }, 1);
}

test.each([
  ["a poll", poll],
  ["an offer", offer],
  ["an answer", answer],
  ["an address with a zone", addressWithZone],
] as const)("%s does not hold on to what it came in", (_, decode) => {
  bytesEach((n) => decode(n, ""));
  const plain = bytesEach((n) => decode(n, ""));
  const padded = bytesEach((n) => decode(n, PADDING));
  expect(padded - plain).toBeLessThan(2_048);
});

test("a session id or a relay pattern without end is refused", () => {
  const long = "x".repeat(257);
  const sid = decodeProxyPoll(`{"Sid":"${long}","Version":"1.3"}`);
  expect(sid).toMatchObject({ ok: false, refusal: "session-id" });
  const pattern = decodeProxyPoll(`{"Sid":"s","Version":"1.3","AcceptedRelayPattern":"${long}"}`);
  expect(pattern).toMatchObject({ ok: false, refusal: "relay-pattern" });
  const most = "x".repeat(256);
  const kept = `{"Sid":"${most}","Version":"1.3","AcceptedRelayPattern":"${most}"}`;
  expect(decodeProxyPoll(kept).ok).toBe(true);
});
