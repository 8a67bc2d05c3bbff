/** What peers may send over HTTP/2, mostly nearly right, and what always holds of the answers. */

import { expect } from "bun:test";

import fc from "fast-check";

import { MAX_FRAME_BYTES } from "../../../src/http/http2/frame.ts";
import { BODY_BYTES } from "../../../src/http/limits.ts";
import type { Exchange } from "../../../src/http/message.ts";
import {
  block,
  data,
  END_HEADERS,
  END_STREAM,
  type FieldList,
  frame,
  GET,
  headers,
  ping,
  POST,
  PREFACE,
  readBlock,
  reset,
  settings,
  u32,
  windowUpdate,
} from "./frames.ts";
import { OK, Peer, short } from "./peer.ts";

const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const increment = fc.integer({ min: 1, max: 100_000 });
const anyNumber = fc.oneof(fc.nat(100), fc.nat(2 ** 31 - 1));
const flags = fc.constantFrom(0, 1, 4, 5, 8, 9, 13, 0x20, 0x25, 0xff);
const fields: fc.Arbitrary<FieldList> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom<FieldList>(
      GET,
      POST,
      [...POST, ["content-length", "10"]],
      [[":method", "HEAD"], ...GET.slice(1)],
      [...POST, ["expect", "100-continue"]],
    ),
  },
  fc.array(fc.tuple(fc.constantFrom(":path", "host", "te", "x", "X"), fc.string()), {
    maxLength: 4,
  }),
);

/** The id of a stream: one that was opened, the lower the number the newer; or `NEXT`, the next one. */
type StreamIds = (which: number) => number;

type Step = (stream: StreamIds) => Buffer;

const NEXT = -1;
const which = fc.nat(6);

function step<T>(
  arbitrary: fc.Arbitrary<T>,
  make: (value: T, stream: StreamIds) => Buffer,
): fc.Arbitrary<Step> {
  return arbitrary.map((value) => (stream) => make(value, stream));
}

const head = step(fc.tuple(fields, fc.constantFrom(0, 1, 1)), (args, stream) =>
  headers(stream(NEXT), ...args),
);
const headInTwo = step(fc.constantFrom(0, END_STREAM), (end, stream) => {
  const id = stream(NEXT);
  return Buffer.concat([
    frame("HEADERS", end, id, block(GET)),
    frame("CONTINUATION", END_HEADERS, id, block([["a", "b"]])),
  ]);
});
const piece = fc.oneof(
  { weight: 4, arbitrary: bytes(600) },
  fc.constant(Buffer.alloc(MAX_FRAME_BYTES)),
);
const content = step(fc.tuple(which, piece, fc.constantFrom(0, 0, 1)), ([at, ...args], stream) =>
  data(stream(at), ...args),
);
/** Otherwise the first frames would be for streams that were never opened. */
const FIRST: Step = (stream) => headers(stream(NEXT), POST, 0);
const priority = Buffer.concat([u32(0), Buffer.of(1)]);

/** What an honest peer could send, if not in this order. */
const usual: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: head },
  { weight: 1, arbitrary: headInTwo },
  { weight: 8, arbitrary: content },
  { weight: 2, arbitrary: step(which, (at, stream) => reset(stream(at))) },
  {
    weight: 3,
    arbitrary: step(fc.tuple(which, increment), ([at, by], stream) => windowUpdate(stream(at), by)),
  },
  { weight: 1, arbitrary: step(increment, (by) => windowUpdate(0, by)) },
  { weight: 2, arbitrary: step(fc.nat(100_000), (size) => settings([4, size])) },
  { weight: 1, arbitrary: step(fc.constant("12345678"), (text) => ping(text)) },
  {
    weight: 1,
    arbitrary: step(which, (at, stream) => frame("PRIORITY", 0, stream(at), priority)),
  },
);

/** What ends a stream or the connection, mostly. */
const odd: fc.Arbitrary<Step> = fc.oneof(
  step(fc.tuple(which, fields, flags), ([at, ...args], stream) => headers(stream(at), ...args)),
  step(fc.tuple(flags, bytes(50)), ([some, fragment], stream) =>
    frame("HEADERS", some, stream(NEXT), fragment),
  ),
  step(fc.tuple(fc.nat(12), flags, which, bytes(20)), ([type, some, at, rest], stream) =>
    frame(type, some, stream(at), rest),
  ),
  step(fc.tuple(fc.nat(8), anyNumber), (entry) => settings(entry)),
  step(fc.tuple(fc.nat(2 ** 31 - 1), anyNumber), (args) => windowUpdate(...args)),
  step(bytes(30), (garbage) => garbage),
);

/** All that a peer sends. */
export const anyFrames: fc.Arbitrary<Buffer> = fc
  .array(fc.oneof({ weight: 100, arbitrary: usual }, { weight: 1, arbitrary: odd }), {
    maxLength: 80,
    size: "max",
  })
  .map((later) => {
    let next = 1;
    const stream = (at: number) => (at === NEXT ? (next += 2) - 2 : Math.max(1, next - 2 - 2 * at));
    return Buffer.concat([PREFACE, settings(), ...[FIRST, ...later].map((make) => make(stream))]);
  });

/** Replies to the request with this number; the bodies have many lengths. */
function answer(exchange: Exchange, request: number): void {
  const answerHead = { ...OK, fields: [...OK.fields, ["X-Request", String(request)] as const] };
  exchange.reply({ head: answerHead, body: "x".repeat((request * 7919) % 30_000) });
}

/** Sends this, in pieces of these lengths by turns; no lengths: whole. */
export function play(input: Buffer, cuts: readonly number[]): Peer {
  let requests = 0;
  let next = 0;
  const peer = new Peer({
    // Every second request is answered at once.
    handler: (_, exchange) => {
      if (requests++ % 2 === 1) answer(exchange, requests - 1);
    },
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

/** How bytes are cut: the lengths of pieces, by turns. */
export const anyCuts: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 5000 }), {
  maxLength: 9,
});

/**
 * Plays this, lets what is late time out or not, answers every request, and lets the peer end. Throws unless what holds
 * whatever peers do does: it keeps no more than it may, writes whole frames, answers every request once, and ends.
 */
export function expectSoundness(input: Buffer, cuts: readonly number[]): void {
  const peer = play(input, cuts);
  expect(peer.wire.mostHeld).toBeLessThanOrEqual(40 * BODY_BYTES);
  const handed = () => [...peer.seen.entries()];
  const answerAll = () => {
    for (const [request, { exchange }] of handed()) answer(exchange, request);
  };
  // Otherwise what is late is still so when the peer ends.
  if (cuts.length % 2 === 0) letTimeOut(peer);
  const wasOpen = !peer.wire.finished;
  if (wasOpen) answerAll();
  const unanswered = handed().filter(([, { exchange }]) => !exchange.aborted);
  if (wasOpen) peer.protocol.receivedEnd();
  answerAll();
  expect(peer.wire.finished).toBe(true);
  expect(peer.bugs).toEqual([]);

  const answered = peer
    .take()
    .filter(({ type }) => type === "HEADERS")
    .flatMap(({ payload }) => readBlock(payload))
    .flatMap(([name, value]) => (name === "x-request" ? [Number(value)] : []));
  expect(answered.length).toBe(new Set(answered).size);
  if (wasOpen) for (const [request] of unanswered) expect(answered).toContain(request);
  peer.protocol.ended();
}

function letTimeOut({ wire, protocol }: Peer): void {
  for (let rounds = 0; !wire.finished; rounds++) {
    const awaited = wire.awaited.at(-1);
    if (awaited !== "body" && awaited !== "unread") return;
    // Those that time out, their answers, and those that had less than the whole time.
    expect(rounds).toBeLessThan(4);
    protocol.timedOut(awaited);
  }
}

/** Plays this whole and in pieces, and throws unless both come to the same. */
export function expectCutsToChangeNothing(input: Buffer, cuts: readonly number[]): void {
  const [whole, cut] = [play(input, []), play(input, cuts)];
  const seen = (peer: Peer) => peer.seen.map(({ method, target, body }) => [method, target, body]);
  expect(seen(cut)).toEqual(seen(whole));
  const answers = (peer: Peer) =>
    peer.take().map((one) => [short(one), one.payload.toString("hex")]);
  expect(answers(cut)).toEqual(answers(whole));
  expect(cut.wire.bounds).toEqual(whole.wire.bounds);
  expect(cut.wire.finished).toBe(whole.wire.finished);
}
