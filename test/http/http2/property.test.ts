/** Whatever a peer sends, in whatever pieces. */

import { expect, test } from "bun:test";

import fc from "fast-check";

import { BODY_BYTES } from "../../../src/http/limits.ts";
import type { Handler } from "../../../src/http/message.ts";
import {
  block,
  data,
  END_HEADERS,
  type FieldList,
  frame,
  GET,
  headers,
  ping,
  POST,
  PREFACE,
  reset,
  settings,
  u32,
  windowUpdate,
} from "./frames.ts";
import { OK, Peer, short } from "./peer.ts";

/** Mostly streams that are open or next. */
const stream = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 6 }).map((n) => 2 * n + 1) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 31 - 1 }) },
);
const window = fc.oneof(fc.nat(100), fc.nat(2 ** 31 - 1));
const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const flags = fc.constantFrom(0, 1, 4, 5, 8, 9, 13, 0x20, 0x25, 0xff);
const fields: fc.Arbitrary<FieldList> = fc.oneof(
  fc.constantFrom<FieldList>(GET, POST, [...POST, ["content-length", "10"]], [["a", "b"]]),
  fc.array(fc.tuple(fc.constantFrom(":path", "host", "te", "x", "X"), fc.string()), {
    maxLength: 4,
  }),
);

const anyFrame: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(stream, fields, flags).map((args) => headers(...args)) },
  { weight: 8, arbitrary: fc.tuple(stream, bytes(600), flags).map((args) => data(...args)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(stream, fc.constant(Buffer.alloc(16_384)), fc.constantFrom(0, 1))
      .map((args) => data(...args)),
  },
  { weight: 2, arbitrary: stream.map((id) => reset(id)) },
  { weight: 3, arbitrary: fc.tuple(stream, window).map((args) => windowUpdate(...args)) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(8), window).map((entry) => settings(entry)) },
  { weight: 1, arbitrary: fc.constant(ping()) },
  {
    weight: 1,
    arbitrary: stream.map((id) =>
      Buffer.concat([
        frame("HEADERS", 0, id, block(GET)),
        frame("CONTINUATION", END_HEADERS, id, block([["a", "b"]])),
      ]),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(flags, stream, bytes(50)).map(([f, id, b]) => frame("HEADERS", f, id, b)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(12), flags, stream, bytes(20)).map((args) => frame(...args)),
  },
  {
    weight: 1,
    arbitrary: stream.map((id) => frame("PRIORITY", 0, id, Buffer.concat([u32(1), Buffer.of(1)]))),
  },
  { weight: 1, arbitrary: bytes(30) },
);

const anyFrames = fc
  .array(anyFrame, { maxLength: 60, size: "max" })
  .map((frames) => Buffer.concat([PREFACE, settings(), ...frames]));

/** Every second request is answered at once, with bodies of many lengths. */
const handler: Handler = (_, exchange) => {
  if (++requests % 2 === 0)
    exchange.reply({ head: OK, body: "x".repeat((requests * 7919) % 30_000) });
};
let requests = 0;

function play(input: Buffer, cuts: readonly number[]): Peer {
  requests = 0;
  let next = 0;
  const peer = new Peer({
    handler,
    cut: (all) => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < all.length;) {
        const end = cuts.length === 0 ? all.length : at + (cuts[next++ % cuts.length] ?? 1);
        pieces.push(all.subarray(at, end));
        at = end;
      }
      return pieces;
    },
  });
  peer.send(input);
  return peer;
}

test("no frames make it throw or hold more than it may, and its end leaves nothing", () => {
  fc.assert(
    fc.property(
      anyFrames,
      fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 9 }),
      (input, cuts) => {
        const peer = play(input, cuts);
        expect(peer.wire.mostHeld).toBeLessThanOrEqual(40 * BODY_BYTES);
        expect(peer.bugs).toEqual([]);
        // All that is written are whole frames.
        peer.take();
        const replied = peer.seen.filter((_, at) => at % 2 === 1);
        peer.protocol.ended();
        expect(peer.seen.filter(({ exchange }) => exchange.aborted)).toHaveLength(
          peer.seen.length - replied.length,
        );
      },
    ),
    { numRuns: 1000 },
  );
});

test("how frames are cut changes nothing", () => {
  fc.assert(
    fc.property(
      anyFrames,
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 9 }),
      (input, cuts) => {
        const [whole, cut] = [play(input, []), play(input, cuts)];
        const seen = (peer: Peer) =>
          peer.seen.map(({ method, target, body }) => [method, target, body]);
        expect(seen(cut)).toEqual(seen(whole));
        const shorts = (peer: Peer) =>
          peer.take().map((answer) => [short(answer), answer.payload.toString("hex")]);
        expect(shorts(cut)).toEqual(shorts(whole));
        expect(cut.wire.bounds).toEqual(whole.wire.bounds);
        expect(cut.wire.finished).toBe(whole.wire.finished);
      },
    ),
    { numRuns: 500 },
  );
});
