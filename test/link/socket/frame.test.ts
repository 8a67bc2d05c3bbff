import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { ByteWriter } from "../../../src/link/socket/byte-writer.ts";
import type { Codec } from "../../../src/link/socket/codec.ts";
import { FrameReader, MAX_FRAME, writeFrame } from "../../../src/link/socket/frame.ts";

const RAW: Codec<Uint8Array> = {
  write: (to, bytes) => to.raw(bytes),
  read: (from) => from.rest(),
};

interface Frame {
  readonly kind: number;
  readonly id: number;
  readonly payload: Uint8Array;
}

function reading(): { readonly frames: Frame[]; readonly reader: FrameReader } {
  const frames: Frame[] = [];
  const reader = new FrameReader((kind, id, payload) => {
    frames.push({ kind, id, payload: payload.rest() });
    return true;
  });
  return { frames, reader };
}

function encode(frames: readonly Frame[]): Buffer {
  const writer = new ByteWriter();
  for (const { kind, id, payload } of frames) {
    expect(writeFrame(writer, kind, id, RAW, payload)).toBe(true);
  }
  return Buffer.from(writer.bytes);
}

const frame = fc.record({
  kind: fc.nat(255),
  id: fc.nat(0xffff_ffff),
  payload: fc.uint8Array({ maxLength: 200 }),
});

describe("frames", () => {
  test("come out as they went in, however the stream is torn", () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 10 }), pieces, (frames, lengths) => {
        const stream = encode(frames);
        const { frames: read, reader } = reading();
        for (let at = 0, i = 0; at < stream.length; i++) {
          const next = at + (lengths[i % lengths.length] ?? 1);
          expect(reader.push(Buffer.from(stream.subarray(at, next)))).toBe(true);
          at = next;
        }
        expect(read).toEqual(frames);
      }),
      { numRuns: 500 },
    );
  });

  test("come out of single bytes in no more time than it takes to send them", () => {
    const frames = [
      { kind: 1, id: 2, payload: new Uint8Array(MAX_FRAME - 5).fill(7) },
      { kind: 3, id: 4, payload: Uint8Array.of(8) },
    ];
    const { frames: read, reader } = reading();
    for (const byte of encode(frames)) reader.push(Buffer.of(byte));
    expect(read.map(({ kind, payload }) => [kind, payload.length])).toEqual([
      [1, MAX_FRAME - 5],
      [3, 1],
    ]);
  });

  test("that would be too long are not written, and leave what was before them alone", () => {
    const writer = new ByteWriter();
    const before = { kind: 1, id: 1, payload: Uint8Array.of(1, 2, 3) };
    expect(writeFrame(writer, 1, 1, RAW, before.payload)).toBe(true);
    expect(writeFrame(writer, 2, 2, RAW, new Uint8Array(MAX_FRAME - 4))).toBe(false);
    const { frames: read, reader } = reading();
    reader.push(Buffer.from(writer.bytes));
    expect(read).toEqual([before]);
  });

  test.each([
    ["longer than any", MAX_FRAME + 1],
    ["of 4 GB", 0xffff_ffff],
    ["too short for its header", 4],
    ["empty", 0],
  ])("that are %s are none, as soon as their length is there", (_, length) => {
    const { frames: read, reader } = reading();
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(length);
    expect(reader.push(bytes.subarray(0, 3))).toBe(true);
    expect(reader.push(bytes.subarray(3))).toBe(false);
    expect(read).toEqual([]);
  });

  test("after one that was not wanted are not read", () => {
    const seen: number[] = [];
    const reader = new FrameReader((kind) => {
      seen.push(kind);
      return kind !== 2;
    });
    const payload = new Uint8Array();
    const stream = encode([1, 2, 3].map((kind) => ({ kind, id: 0, payload })));
    expect(reader.push(stream)).toBe(false);
    expect(seen).toEqual([1, 2]);
  });

  test("are all that random bytes can be taken for", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { frames: read, reader } = reading();
        reader.push(Buffer.from(bytes));
        const taken = read.reduce((sum, { payload }) => sum + 9 + payload.length, 0);
        expect(taken).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });
});
