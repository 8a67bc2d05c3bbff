import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import type { Offer, Poll, SessionCounts } from "../../../src/broker/broker.ts";
import {
  ANSWER_CALL,
  OFFER_CALL,
  POLL_CALL,
  SESSIONS_CALL,
} from "../../../src/link/socket/broker-calls.ts";
import { ByteReader } from "../../../src/link/socket/byte-reader.ts";
import { ByteWriter } from "../../../src/link/socket/byte-writer.ts";
import { type Codec, decodePayload, NO_PAYLOAD } from "../../../src/link/socket/codec.ts";
import { COUNT } from "../../../src/link/socket/counts.ts";
import { HELLO } from "../../../src/link/socket/hello.ts";
import { PAGE_CALL } from "../../../src/link/socket/pages.ts";
import { parseAddress } from "../../../src/messages/address-text.ts";
import { Address } from "../../../src/messages/address.ts";
import { parseFingerprint } from "../../../src/messages/fingerprint.ts";
import { NAT_TYPES } from "../../../src/messages/nat-type.ts";
import { PROXY_TYPES } from "../../../src/messages/proxy-type.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { sessionId } from "../../kit/test-broker.ts";
import { payloadBytes } from "./raw-peer.ts";

function decode<T>(codec: Codec<T>, bytes: Uint8Array): T | undefined {
  return decodePayload(codec, new ByteReader(Buffer.from(bytes)));
}

const text = fc.string({ unit: "binary", maxLength: 60 });
const description = text.map(writeDescription);
const sid = fc.string({ unit: "binary", minLength: 1, maxLength: 30 }).map(sessionId);
const nat = fc.constantFrom(...NAT_TYPES);
const count = fc.maxSafeNat();
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const address = optional(
  fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("fe80::1%eth0", "0.0.0.0", "::")).map((ip) => {
    const parsed = parseAddress(ip);
    return parsed ?? new Address(ip.includes(":") ? "::" : "0.0.0.0");
  }),
);
const digits = (length: number) =>
  fc.string({
    unit: fc.constantFrom(..."0123456789abcdefABCDEF"),
    minLength: length,
    maxLength: length,
  });
const fingerprint = optional(fc.oneof(digits(40), digits(64)).map(parseFingerprint));

/** Addresses as their texts, since all addresses look alike to a test. */
const revealed = <T extends Poll | Offer>(value: T) => ({
  ...value,
  address: value.address?.reveal(),
});

/** Checks a codec against generated values: what it wrote it reads, but no piece of it and nothing more. */
function checkCodec<T>(
  codec: Codec<T>,
  values: fc.Arbitrary<T>,
  comparable = (value: T): unknown => value,
) {
  fc.assert(
    fc.property(values, fc.nat(), (value, cut) => {
      const bytes = payloadBytes(codec, value);
      const decoded = decode(codec, bytes);
      if (decoded === undefined) throw new Error("not read");
      expect(comparable(decoded)).toEqual(comparable(value));
      expect(decode(codec, Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
      if (bytes.length > 0) {
        expect(decode(codec, bytes.subarray(0, cut % bytes.length))).toBeUndefined();
      }
    }),
    { numRuns: 500 },
  );
}

const poll: fc.Arbitrary<Poll> = fc.record({
  sid,
  type: fc.constantFrom(...PROXY_TYPES),
  nat,
  clients: count,
  relayPattern: fc.option(text),
  address,
  waited: optional(fc.nat(28_000)),
});
const offer: fc.Arbitrary<Offer> = fc.record({
  offer: description,
  nat,
  fingerprint,
  address,
  rendezvous: fc.constantFrom("http", "ampcache", "sqs"),
});
const counts: fc.Arbitrary<SessionCounts> = fc.record({
  total: count,
  byType: fc.record({
    standalone: count,
    webext: count,
    badge: count,
    iptproxy: count,
    bloco: count,
    unknown: count,
  }),
  byNat: fc.record({
    restricted: count,
    unrestricted: count,
    unknown: count,
    strict: count,
    moderate: count,
    open: count,
  }),
});

describe("what is written is read again, and nothing shorter or longer is", () => {
  test("polls", () => checkCodec(POLL_CALL.request, poll, revealed));
  test("outcomes of polls", () => {
    const nextPoll = count;
    checkCodec(
      POLL_CALL.outcome,
      fc.oneof(
        fc.record({
          kind: fc.constant("matched" as const),
          offer: description,
          clientNat: nat,
          relayUrl: text,
          nextPoll,
        }),
        fc.record({ kind: fc.constantFrom("idle", "too-soon", "pattern-rejected"), nextPoll }),
      ),
    );
  });
  test("offers", () => checkCodec(OFFER_CALL.request, offer, revealed));
  test("outcomes of offers", () => {
    checkCodec(
      OFFER_CALL.outcome,
      fc.oneof(
        fc.record({ kind: fc.constant("answered" as const), answer: description }),
        fc.record({ kind: fc.constantFrom("denied", "timed-out", "unknown-bridge") }),
      ),
    );
  });
  test("answers", () => checkCodec(ANSWER_CALL.request, fc.record({ sid, answer: description })));
  test("outcomes of answers", () => {
    checkCodec(
      ANSWER_CALL.outcome,
      fc.record({ kind: fc.constantFrom("delivered", "client-gone") }),
    );
  });
  test("the question for sessions", () => checkCodec(SESSIONS_CALL.request, fc.constant(null)));
  test("sessions", () => checkCodec(SESSIONS_CALL.outcome, counts));
  test("names of pages", () => checkCodec(PAGE_CALL.request, text));
  test("counts", () => {
    checkCodec(
      COUNT,
      fc.record({ route: text, reason: text, n: fc.integer({ min: 1, max: 0xffff_ffff }) }),
    );
  });
  test("hellos", () => {
    checkCodec(
      HELLO,
      fc.record({
        version: fc.nat(0xffff_ffff),
        role: optional(fc.constantFrom("core", "http-frontend")),
      }),
    );
  });
});

test("random bytes are refused or read, and never throw", () => {
  const readers = [
    POLL_CALL.request.read,
    POLL_CALL.outcome.read,
    OFFER_CALL.request.read,
    OFFER_CALL.outcome.read,
    ANSWER_CALL.request.read,
    ANSWER_CALL.outcome.read,
    SESSIONS_CALL.outcome.read,
    PAGE_CALL.request.read,
    PAGE_CALL.outcome.read,
    COUNT.read,
    HELLO.read,
    NO_PAYLOAD.read,
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      for (const read of readers) read(new ByteReader(Buffer.from(bytes)));
    }),
    { numRuns: 2000 },
  );
});

/** Polls as a frontend with faults may write them. */
function pollBytes(fields: {
  readonly sid?: string;
  readonly type?: number;
  readonly nat?: number;
  readonly clients?: number;
  readonly address?: string;
  readonly waited?: number;
}): Uint8Array {
  const writer = new ByteWriter();
  writer.text(fields.sid ?? "p");
  writer.u8(fields.type ?? 5);
  writer.u8(fields.nat ?? 5);
  writer.whole(fields.clients ?? 0);
  writer.optionalText("$");
  writer.optionalText(fields.address ?? "192.0.2.1");
  writer.optionalU32(fields.waited ?? 28_000);
  return writer.bytes;
}

function offerBytes(bridge: string, written = '"o"'): Uint8Array {
  const writer = new ByteWriter();
  writer.text(written);
  writer.u8(0);
  writer.optionalText(bridge);
  writer.optionalText(undefined);
  writer.u8(2);
  return writer.bytes;
}

describe("the core does not take", () => {
  test.each([
    ["an empty session id", { sid: "" }],
    ["an address that is not in its canonical form", { address: "2001:db8:0::1" }],
    ["an address with a port", { address: "192.0.2.1:80" }],
    ["an upper-case address", { address: "2001:DB8::1" }],
    ["an address that is none", { address: "" }],
    ["an unknown proxy type", { type: 6 }],
    ["an unknown NAT type", { nat: 6 }],
    ["more clients than there are numbers", { clients: Number.POSITIVE_INFINITY }],
    ["fewer clients than none", { clients: -1 }],
    ["a wait longer than any", { waited: 28_001 }],
  ])("a poll with %s", (_, wrong) => {
    expect(decode(POLL_CALL.request, pollBytes({}))).toBeDefined();
    expect(decode(POLL_CALL.request, pollBytes(wrong))).toBeUndefined();
  });

  test.each(["2b280b23e1107bb62abfc40ddcc8824814f80a72", "2B28", ""])(
    "an offer for a bridge %p",
    (wrong) => {
      const right = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";
      expect(decode(OFFER_CALL.request, offerBytes(right))).toBeDefined();
      expect(decode(OFFER_CALL.request, offerBytes(wrong))).toBeUndefined();
    },
  );

  test.each(["", '"', "o", '"o', 'o"'])("an offer that is %p, no string of JSON", (wrong) => {
    const bridge = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";
    expect(decode(OFFER_CALL.request, offerBytes(bridge, wrong))).toBeUndefined();
  });

  test.each([
    ["of nothing", { route: "client", reason: "json", n: 0 }],
    ["with a word that is in no vocabulary", { route: "client", reason: "x".repeat(65), n: 1 }],
  ])("a count %s", (_, wrong) => {
    expect(decode(COUNT, payloadBytes(COUNT, wrong))).toBeUndefined();
  });

  test("a hello of something else", () => {
    const hello = payloadBytes(HELLO, { version: 1, role: "core" });
    expect(decode(HELLO, hello)).toEqual({ version: 1, role: "core" });
    expect(decode(HELLO, hello.fill(0, 0, 1))).toBeUndefined();
  });
});
