/** What the generated clients and proxies send, and what they must get back. */

import type { HttpResponse } from "./http-response.ts";

const NONCE = /o=- (\d{16}) /;

/** The nonce of every message in an exchange with a server that answers constants. */
export const CONSTANT_NONCE = formatNonce(0);

const FINGERPRINT = Array.from({ length: 32 }, (_, index) =>
  (index * 7 + 16).toString(16).toUpperCase().padStart(2, "0"),
).join(":");

/** About 1.2 kB with seven candidates, as a client with IPv4, IPv6 and two STUN servers would offer. */
const OFFER = describeSession("offer", "actpass", [
  "1966762133 1 udp 2130706431 192.0.2.17 51874 typ host",
  "1966762133 2 udp 2130706431 192.0.2.17 51874 typ host",
  "3327189526 1 udp 2130706431 2001:db8:4f::a1c2:7e90 40417 typ host",
  "3327189526 2 udp 2130706431 2001:db8:4f::a1c2:7e90 40417 typ host",
  "842163049 1 udp 1694498815 198.51.100.204 51874 typ srflx raddr 0.0.0.0 rport 51874",
  "842163049 2 udp 1694498815 198.51.100.204 51874 typ srflx raddr 0.0.0.0 rport 51874",
  "2093481774 1 udp 1694498815 198.51.100.204 60231 typ srflx raddr 0.0.0.0 rport 60231",
]);

/** About 700 B with two candidates. */
const ANSWER = describeSession("answer", "active", [
  "2675391846 1 udp 2130706431 203.0.113.58 36209 typ host",
  "842163049 1 udp 1694498815 203.0.113.58 36209 typ srflx raddr 0.0.0.0 rport 36209",
]);

function describeSession(type: string, setup: string, candidates: readonly string[]): string {
  const lines = [
    "v=0",
    `o=- ${CONSTANT_NONCE} 1754006400 IN IP4 0.0.0.0`,
    "s=-",
    "t=0 0",
    "a=msid-semantic:WMS*",
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
    "a=extmap-allow-mixed",
    "a=group:BUNDLE 0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    `a=setup:${setup}`,
    "a=mid:0",
    "a=sendrecv",
    "a=sctp-port:5000",
    "a=max-message-size:1073741823",
    "a=ice-ufrag:kQpXeTzGvBnLmRsA",
    "a=ice-pwd:YwUoDcHiJfKtNbVxZaSqErGpMlWyTuOd",
    ...candidates.map((candidate) => `a=candidate:${candidate}`),
    "a=end-of-candidates",
    "",
  ];
  return JSON.stringify({ type, sdp: lines.join("\r\n") });
}

/** A nonce for each serial number, all of one length, so that all messages have one length too. */
export function formatNonce(serial: number): string {
  return String(1_000_000_000_000_000 + serial);
}

/** The session description that a client offers. */
export function formatOffer(nonce: string): string {
  return OFFER.replace(CONSTANT_NONCE, nonce);
}

/** The session description with which a proxy answers the offer of that nonce. */
export function formatAnswer(nonce: string): string {
  return ANSWER.replace(CONSTANT_NONCE, nonce);
}

/** The nonce of an offer; undefined if it is none of ours. */
export function findNonce(offer: string): string | undefined {
  return NONCE.exec(offer)?.[1];
}

/** The body of `POST /client`. */
export function encodeClientPoll(offer: string, nat: string): string {
  return `1.0\n{"offer":${JSON.stringify(offer)},"nat":"${nat}","fingerprint":"2B280B23E1107BB62ABFC40DDCC8824814F80A72"}`;
}

/** The body of `POST /proxy`. */
export function encodeProxyPoll(sid: string, nat: string): string {
  return `{"Sid":"${sid}","Version":"1.3","Type":"standalone","NAT":"${nat}","Clients":0,"AcceptedRelayPattern":"snowflake.torproject.net$"}`;
}

/** The body of `POST /answer`. */
export function encodeProxyAnswer(sid: string, answer: string): string {
  return `{"Version":"1.3","Sid":"${sid}","Answer":${JSON.stringify(answer)}}`;
}

/** Session ids are made as official proxies make them: 16 random bytes in base64 without padding. */
export function makeSid(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toBase64({ omitPadding: true });
}

/** A reply with which no load can be measured, such as somebody else's answer. Its message says which. */
export class BadReply extends Error {}

/** The body of a response. Throws BadReply if its status is not 200. */
export function bodyOf({ status, body }: HttpResponse, path: string): string {
  if (status !== 200) throw new BadReply(`${path}: HTTP status ${status}`);
  return body;
}

/** The offer in a poll's reply, undefined if no client came. Throws BadReply for anything else. */
export function parseProxyReply(body: string): string | undefined {
  const reply = parseObject(body, "/proxy");
  const status = reply["Status"];
  if (status === "no match") return undefined;
  if (status !== "client match") throw new BadReply(`/proxy: status ${JSON.stringify(status)}`);
  const { Offer: offer, NAT: nat, NextPoll: nextPoll, RelayURL: relayUrl } = reply;
  const relay = typeof relayUrl === "string" && /^wss?:/.test(relayUrl);
  if (
    typeof offer !== "string" ||
    typeof nat !== "string" ||
    typeof nextPoll !== "number" ||
    !relay
  )
    throw new BadReply("/proxy: a match without offer, NAT, next poll or relay");
  return offer;
}

/**
 * Throws BadReply unless the client's reply is the answer that was made for its own offer. `way`: how it came, which
 * begins the message.
 */
export function assertClientReply(body: string, nonce: string, way: string): void {
  const { answer, error } = parseObject(body, way);
  if (typeof answer !== "string") throw new BadReply(`${way}: error ${JSON.stringify(error)}`);
  if (answer !== formatAnswer(nonce)) throw new BadReply(`${way}: not the answer to this offer`);
}

/** Throws BadReply unless the answer was taken. */
export function assertAnswerReply(body: string): void {
  const status = parseObject(body, "/answer")["Status"];
  if (status !== "success") throw new BadReply(`/answer: status ${JSON.stringify(status)}`);
}

/** Parses a JSON object. Throws BadReply, with `path` before the reason, if it is none. */
export function parseObject(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BadReply(`${path}: not JSON`, { cause });
  }
  if (!isRecord(value)) throw new BadReply(`${path}: not an object`);
  return value;
}

/** Narrows a parsed value to an object whose members can be looked at. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
