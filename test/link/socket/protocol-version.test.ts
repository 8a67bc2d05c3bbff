import { describe, expect, test } from "bun:test";

import type { AnswerOutcome } from "../../../src/broker/broker.ts";
import { ANSWER_CALL, OFFER_CALL, POLL_CALL } from "../../../src/link/socket/broker-calls.ts";
import { COUNT } from "../../../src/link/socket/counts.ts";
import { HELLO } from "../../../src/link/socket/hello.ts";
import { INTERVALS } from "../../../src/link/socket/intervals.ts";
import { PAGE_CALL } from "../../../src/link/socket/pages.ts";
import { Address } from "../../../src/messages/address.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { sessionId } from "../../kit/test-broker.ts";
import { anOffer } from "./linked.ts";
import { payloadBytes } from "./raw-peer.ts";

/** Version 3 of the link. Whoever has to change a line here has to change the version. */
describe("version 3 of the link", () => {
  const hex = (bytes: Buffer) =>
    bytes
      .toString("hex")
      .replace(/(.{8})/g, "$1 ")
      .trim();

  test.each([
    ["a hello", payloadBytes(HELLO, { version: 3, role: "http-frontend" }), "53424c4b 03000000 01"],
    [
      "a poll",
      payloadBytes(POLL_CALL.request, {
        sid: sessionId("p"),
        type: "bloco",
        nat: "strict",
        clients: 8,
        relayPattern: null,
        address: new Address("192.0.2.1"),
        waited: 500,
      }),
      "01000000 70040300 00000000 002040ff ffffff09 00000031 39322e30 2e322e31 f4010000",
    ],
    [
      "a match",
      payloadBytes(POLL_CALL.outcome, {
        kind: "matched",
        offer: writeDescription("o"),
        clientNat: "open",
        relayUrl: "w",
        nextPoll: 1,
      }),
      "00000000 000000f0 3f030000 00226f22 05010000 0077",
    ],
    [
      "an offer",
      payloadBytes(OFFER_CALL.request, anOffer("o", { nat: "unrestricted", rendezvous: "sqs" })),
      "03000000 226f2201 ffffffff ffffffff 02",
    ],
    [
      "an answered offer",
      payloadBytes(OFFER_CALL.outcome, { kind: "answered", answer: writeDescription("a") }),
      "00030000 00226122",
    ],
    [
      "an answer",
      payloadBytes(ANSWER_CALL.request, { sid: sessionId("p"), answer: writeDescription("a") }),
      "01000000 70030000 00226122",
    ],
    [
      "its outcome",
      payloadBytes<AnswerOutcome>(ANSWER_CALL.outcome, { kind: "client-gone" }),
      "01",
    ],
    [
      "the end of a page",
      payloadBytes(PAGE_CALL.outcome, { kind: "last", bytes: Buffer.from("a") }),
      "0261",
    ],
    [
      "a count",
      payloadBytes(COUNT, { route: "r", reason: "j", n: 2 }),
      "01000000 72010000 006a0200 0000",
    ],
    [
      "the poll intervals",
      payloadBytes(INTERVALS, { open: 1, moderate: 2, strict: 0 }),
      "00000000 0000f03f 00000000 00000040 00000000 00000000",
    ],
  ])("writes %s so", (_, bytes, expected) => {
    expect(hex(bytes)).toBe(expected);
  });
});
