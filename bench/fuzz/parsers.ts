/** What each parser is given by `bench/fuzz.ts`, and what must hold of it. */

import { expect } from "bun:test";

import fc from "fast-check";

import { decodeFieldBlock } from "../../src/http/http2/hpack/field-block.ts";
import { FieldTable } from "../../src/http/http2/hpack/field-table.ts";
import { type Field, FIELD_OVERHEAD, FieldNames } from "../../src/http/http2/hpack/field.ts";
import { readProxyHeader } from "../../src/http/proxy-protocol/header.ts";
import { readTwice, sent } from "../../test/http/http1/two-readers.ts";
import {
  anyCuts,
  anyFrames,
  expectCutsToChangeNothing,
  expectSoundness,
} from "../../test/http/http2/any-frames.ts";
import { anyBlocks, WANTED } from "../../test/http/http2/hpack/any-blocks.ts";
import { anyBeginning } from "../../test/http/proxy-protocol/any-header.ts";
import { readHeaderSlowly } from "../../test/http/proxy-protocol/slow-header.ts";
import type { HpackOracle } from "./hpack-oracle.ts";

/** The same seed gives the same cases. `path`: where among them one failed, and how it was shrunk. */
export interface CheckOptions {
  readonly seed: number;
  readonly numRuns: number;
  readonly path?: string;
}

/** How a run of cases went. */
export interface Checked {
  readonly cases: number;
  /** The smallest case that fails, and how to have it again. Undefined: none failed. */
  readonly failure: string | undefined;
}

/** Milliseconds that a case may take. They take less than one, but the machine may be busy. */
const CASE_TIME = 2_000;

/** Requests over HTTP/1: our reader and a slow one agree, however they are cut. */
export function checkHttp1(options: CheckOptions): Promise<Checked> {
  return check(sent, options, ([text, places]) => {
    const { ours, slow } = readTwice(text, places);
    expect(ours).toEqual(slow);
  });
}

/** Connections with HTTP/2: every request is answered once and they end, and how they are cut changes nothing. */
export function checkHttp2(options: CheckOptions): Promise<Checked> {
  return check(fc.tuple(anyFrames, anyCuts), options, ([input, cuts]) => {
    expectSoundness(input, cuts);
    expectCutsToChangeNothing(input, cuts);
  });
}

/** Field blocks: our decoder and that of Go's HTTP/2 agree. */
export function checkHpack(options: CheckOptions, oracle: HpackOracle): Promise<Checked> {
  return check(anyBlocks, options, async (blocks) => {
    const names = new FieldNames(new Set(WANTED));
    const table = new FieldTable(names);
    for (const [order, expected] of (await oracle.decode(blocks)).entries()) {
      const block = blocks[order];
      if (block === undefined) throw new Error("the oracle has more blocks");
      if (hasOddSizes(block)) return;
      const fields: Field[] = [];
      const sink = { field: (field: Field) => fields.push(field) > 0 };
      const fault = decodeFieldBlock(table, block, 0, block.length, sink);
      expect(fault).toBe(expected === "error" ? "compression" : undefined);
      if (expected === "error") return;
      expect(fields.map(({ size }) => size)).toEqual(
        expected.map(({ name, value }) => name.length + value.length + FIELD_OVERHEAD),
      );
      for (const [at, { name, value, valid }] of fields.entries()) {
        if (!valid || name.text === "") continue;
        const sentName = expected[at]?.name;
        expect([name.text, value]).toEqual([
          // Handlers get `:authority` as `host`.
          sentName === ":authority" ? "host" : String(sentName),
          String(expected[at]?.value),
        ]);
      }
    }
  });
}

/**
 * Whether a block has table size updates but one at its start. The oracle refuses two there, which RFC 7541 section 4.2
 * allows, and takes one behind a field while its table is empty.
 */
function hasOddSizes(block: Buffer): boolean {
  let at = 0;
  const integer = (bits: number) => {
    const most = 2 ** bits - 1;
    let value = (block[at++] ?? 0) & most;
    if (value < most) return value;
    for (let factor = 1; at < block.length; factor *= 128) {
      const byte = block[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  for (let order = 0; at < block.length; order++) {
    const first = block[at] ?? 0;
    if (first >= 0x80) integer(7);
    else if (first >= 0x20 && first < 0x40) {
      if (order > 0) return true;
      integer(5);
    } else {
      const isNamed = integer(first >= 0x40 ? 6 : 4) > 0;
      for (let strings = isNamed ? 1 : 2; strings > 0; strings--) {
        const length = integer(7);
        at += length;
      }
    }
  }
  return false;
}

/** PROXY headers: our reader and a slow one agree, and what is too short is incomplete or invalid for good. */
export function checkProxyHeaders(options: CheckOptions): Promise<Checked> {
  return check(anyBeginning, options, (bytes) => {
    const ours = readProxyHeader(bytes);
    expect(ours).toEqual(readHeaderSlowly([...bytes]));
    for (let end = 0; end < bytes.length; end += 1 + (bytes.length >> 5)) {
      const part = readProxyHeader(bytes.subarray(0, end));
      if (typeof ours === "object" && end < ours.length) expect(part).toBe("incomplete");
      else if (part === "invalid") expect(ours).toBe("invalid");
    }
  });
}

/** Plays cases until one fails: it throws, or takes too long. */
async function check<T>(
  cases: fc.Arbitrary<T>,
  options: CheckOptions,
  play: (value: T) => void | Promise<void>,
): Promise<Checked> {
  const property = fc.asyncProperty(cases, async (value) => {
    const started = performance.now();
    await play(value);
    const took = performance.now() - started;
    if (took > CASE_TIME) throw new Error(`it took ${took.toFixed(0)} ms`);
  });
  const details = await fc.check(property, options);
  const { errorInstance } = details;
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const failure = details.failed ? `${fc.defaultReportMessage(details)}\n${reason}` : undefined;
  return { cases: details.numRuns, failure };
}
