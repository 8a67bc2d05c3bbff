import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Envelopes, type EnvelopesParts, MAX_ENVELOPE } from "../../../src/link/nats/envelope.ts";
import type { Codec } from "../../../src/link/socket/codec.ts";
import { decodePayload, TEXT } from "../../../src/link/socket/codec.ts";
import { SECRET } from "./nodes.ts";

const SUBJECT = "snowflake.all";

function envelopes(parts: Partial<EnvelopesParts> = {}): Envelopes {
  return new Envelopes({ secret: SECRET, cluster: "snowflake", timeOfDay: () => 1e12, ...parts });
}

const hello = (from: Envelopes, subject = SUBJECT) => from.seal(subject, 7, TEXT, "hello").bytes;

function reasonOf(to: Envelopes, bytes: Uint8Array, subject = SUBJECT): string {
  const opened = to.open(subject, Buffer.from(bytes));
  return opened.ok ? "opened" : opened.reason;
}

describe("an envelope", () => {
  test("is opened by another node with the secret, once", () => {
    const [a, b] = [envelopes(), envelopes()];
    const bytes = hello(a);
    const opened = b.open(SUBJECT, bytes);
    if (!opened.ok) throw new Error(opened.reason);
    expect([opened.sender, opened.kind, opened.lateness]).toEqual([a.id, 7, 0]);
    expect(decodePayload(TEXT, opened.payload)).toBe("hello");
    expect(reasonOf(b, bytes)).toBe("replayed");
    expect(reasonOf(b, hello(a))).toBe("opened");
  });

  test("shows nothing of its content", () => {
    const text = "candidate:1 1 udp 2130706431 203.0.113.77 50000 typ host";
    expect(envelopes().seal(SUBJECT, 7, TEXT, text).bytes.includes("203.0.113")).toBe(false);
  });

  test.each([
    ["another secret", { secret: Buffer.from("another secret of 32 characters!") }],
    ["another cluster with the same secret", { cluster: "other" }],
  ])("of %s is forged", (_, parts) => {
    expect(reasonOf(envelopes(), hello(envelopes(parts)))).toBe("forged");
  });

  test("that was sent to another subject is forged", () => {
    expect(reasonOf(envelopes(), hello(envelopes(), "snowflake.node.1"))).toBe("forged");
  });

  test("that is older than the newest on its subject is not taken, nor one from another time", () => {
    const a = envelopes();
    const b = envelopes();
    const [first, second, elsewhere] = [hello(a), hello(a), hello(a, "other")];
    expect(reasonOf(b, second)).toBe("opened");
    expect(reasonOf(b, first)).toBe("replayed");
    expect(reasonOf(b, elsewhere, "other")).toBe("opened");
    for (const off of [-61_000, 61_000]) {
      expect(reasonOf(b, hello(envelopes({ timeOfDay: () => 1e12 + off })))).toBe("other-time");
    }
    expect(reasonOf(b, hello(envelopes({ timeOfDay: () => 1e12 + 59_000 })))).toBe("opened");
  });

  test("is known to be late, however far the clocks differ", () => {
    let now = 1e12;
    const a = envelopes({ timeOfDay: () => now - 30_000 });
    const b = envelopes({ timeOfDay: () => now });
    const lateness = (bytes: Buffer) => {
      const opened = b.open(SUBJECT, bytes);
      return opened.ok ? opened.lateness : undefined;
    };
    for (let second = 0; second < 30; second++, now += 1_000) expect(lateness(hello(a))).toBe(0);
    const bytes = hello(a);
    now += 12_000;
    expect(lateness(bytes)).toBe(12_000);
    expect(lateness(hello(a))).toBe(0);
  });

  test("as a reply belongs to one request", () => {
    const [a, b] = [envelopes(), envelopes()];
    const one = a.seal(SUBJECT, 7, TEXT, "one");
    const two = a.seal(SUBJECT, 7, TEXT, "two");
    const opened = b.open(SUBJECT, one.bytes);
    if (!opened.ok) throw new Error(opened.reason);
    expect(opened.replySubject).toBe(one.replySubject);
    const reply = hello(b, opened.replySubject);
    expect(reasonOf(a, reply, two.replySubject)).toBe("forged");
    expect(reasonOf(a, reply, one.replySubject)).toBe("opened");
  });

  test("of another version, too large or too small is not opened", () => {
    const bytes = hello(envelopes());
    bytes.writeUInt8(2);
    expect(reasonOf(envelopes(), bytes)).toBe("other-version");
    expect(reasonOf(envelopes(), Buffer.alloc(MAX_ENVELOPE + 1, 1))).toBe("too-large");
    expect(reasonOf(envelopes(), Buffer.alloc(40, 1))).toBe("malformed");
  });

  test("that was changed anywhere is not opened", () => {
    const original = hello(envelopes());
    const flip = fc.record({
      at: fc.nat(original.length - 1),
      by: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(flip, ({ at, by }) => {
        const bytes = Buffer.from(original);
        bytes.writeUInt8(bytes.readUInt8(at) ^ by, at);
        expect(reasonOf(envelopes(), bytes)).not.toBe("opened");
      }),
    );
  });
});

test("senders are remembered up to a bound, and forgotten when nothing of theirs can be repeated", () => {
  let now = 1e12;
  const timeOfDay = () => now;
  const to = envelopes({ timeOfDay });
  const old = Array.from({ length: 1_000 }, () => hello(envelopes({ timeOfDay })));
  for (const bytes of old) expect(reasonOf(to, bytes)).toBe("opened");
  expect(reasonOf(to, hello(envelopes({ timeOfDay })))).toBe("too-many-nodes");
  now += 121_000;
  expect(reasonOf(to, hello(envelopes({ timeOfDay })))).toBe("opened");
  for (const bytes of old.slice(0, 10)) expect(reasonOf(to, bytes)).toBe("other-time");
});

/** What an old sender could have meant by a payload is checked when it is decoded: here that any bytes are harmless. */
test("any bytes are refused", () => {
  const raw: Codec<Uint8Array> = {
    write: (to, bytes) => to.raw(bytes),
    read: (from) => from.rest(),
  };
  expect(reasonOf(envelopes(), envelopes().seal(SUBJECT, 1, raw, new Uint8Array(3)).bytes)).toBe(
    "opened",
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(reasonOf(envelopes(), bytes)).not.toBe("opened");
    }),
  );
});
