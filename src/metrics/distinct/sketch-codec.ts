/** Sketches as bytes: the sequence of gob values that upstream's counting library writes and reads. */

import { GobReader, GobWriter, unsignedLength } from "./gob.ts";
import { isSparseKey, MAX_RHO, PRECISION, REGISTERS } from "./hash-split.ts";
import { decodeKeyList } from "./key-list.ts";
import { DistinctSketch, MAX_LIST_BYTES, MAX_PENDING, type SketchState } from "./sketch.ts";

/** Encoded type ids that need no definition. */
const BOOL = [0x02];
const UNSIGNED = [0x06];
const BYTES = [0x0a];

/** The id that the set of pending keys is given, as current toolchains number it; older ones begin at 65. */
const SET_ID = 64;

/** The last id that takes two bytes at the head of a message. */
const MAX_SET_ID = 127;

/** Room for everything but keys, list bytes and registers. */
const OVERHEAD = 128;

export type DecodedSketch =
  | { readonly ok: true; readonly sketch: DistinctSketch }
  | { readonly ok: false; readonly error: string };

/**
 * Encodes a sketch as it is. Pending keys are written in ascending order: any order is equivalent, and this one tells
 * nothing about the order of arrival.
 */
export function encodeSketch(sketch: DistinctSketch): Uint8Array {
  const state = sketch.state;
  return state.kind === "dense" ? encodeDense(state.registers) : encodeSparse(state);
}

function encodeDense(registers: Uint8Array): Uint8Array {
  const gob = new GobWriter(OVERHEAD + registers.length);
  writeBytes(gob, registers);
  writeUnsigned(gob, REGISTERS);
  writeUnsigned(gob, PRECISION);
  writeBool(gob, false);
  return gob.finish();
}

function encodeSparse(state: Extract<SketchState, { kind: "sparse" }>): Uint8Array {
  const { list } = state;
  const pending = Uint32Array.from(state.pending).toSorted();
  let pendingLength = unsignedLength(pending.length);
  for (const key of pending) pendingLength += unsignedLength(key) + 1;
  const gob = new GobWriter(OVERHEAD + pendingLength + list.bytes.length);
  writeBytes(gob, new Uint8Array(0));
  writeUnsigned(gob, REGISTERS);
  writeUnsigned(gob, PRECISION);
  writeBool(gob, true);
  gob.raw(setDefinition(SET_ID));
  gob.head(setType(SET_ID), pendingLength);
  gob.unsigned(pending.length);
  for (const key of pending) {
    gob.unsigned(key);
    gob.unsigned(1);
  }
  writeUnsigned(gob, list.count);
  writeBytes(gob, list.bytes);
  writeUnsigned(gob, list.last);
  return gob.finish();
}

/** Decodes what any build of upstream wrote; no state that adding hashes can't lead to is accepted. */
export function decodeSketch(bytes: Uint8Array): DecodedSketch {
  const gob = new GobReader(bytes);
  const registers = readBytes(gob);
  const m = readUnsigned(gob);
  const precision = readUnsigned(gob);
  if (gob.failed) return reject("not a sketch");
  if (m !== REGISTERS || precision !== PRECISION) return reject("another precision than 18");
  const sparse = gob.message(BOOL, () => gob.unsigned());
  const state = sparse === 0 ? checkRegisters(registers) : readSparse(gob, registers);
  if (gob.failed || !gob.atEnd || sparse > 1) return reject("cut off or garbled");
  if (state === undefined) return reject("contents are inconsistent");
  return { ok: true, sketch: new DistinctSketch(state) };
}

function checkRegisters(registers: Uint8Array): SketchState | undefined {
  if (registers.length !== REGISTERS || registers.some((rho) => rho > MAX_RHO)) return undefined;
  return { kind: "dense", registers: registers.slice() };
}

function readSparse(gob: GobReader, registers: Uint8Array): SketchState | undefined {
  const id = readSetDefinition(gob);
  if (id === undefined) return undefined;
  const pending = gob.message(setType(id), () => readPending(gob));
  const count = readUnsigned(gob);
  const bytes = readBytes(gob);
  const last = readUnsigned(gob);
  if (gob.failed || pending === undefined) return undefined;
  if (registers.length > 0 || bytes.length > MAX_LIST_BYTES) return undefined;
  const list = decodeKeyList(count, bytes, last);
  return list === undefined ? undefined : { kind: "sparse", pending, list };
}

function readPending(gob: GobReader): Set<number> | undefined {
  const count = gob.unsigned();
  const pending = new Set<number>();
  if (count > MAX_PENDING) return undefined;
  let genuine = true;
  for (let i = 0; i < count && !gob.failed; i++) {
    const key = gob.unsigned();
    gob.expect([1]);
    genuine &&= isSparseKey(key);
    pending.add(key);
  }
  return genuine ? pending : undefined;
}

/** The type id of a set, as it stands at the head of a message: a signed number of two bytes. */
function setType(id: number): number[] {
  return [0xff, id * 2];
}

/** The definition of a set's type: its length, its negative id, and what it is. */
function setDefinition(id: number): number[] {
  const negative = id * 2 - 1;
  const head = negative < 0x80 ? [negative] : [0xff, negative];
  const map = mapFromUnsignedToBool(id);
  return [head.length + map.length, ...head, ...map];
}

/** A map, by the name of `set`, from a type (3, unsigned) to a type (1, bool). */
function mapFromUnsignedToBool(id: number): number[] {
  return [4, 1, 1, 3, 0x73, 0x65, 0x74, 1, ...setType(id), 0, 1, 6, 1, 2, 0, 0];
}

/** The id that a definition gives the set's type; undefined if it is none of those that are known. */
function readSetDefinition(gob: GobReader): number | undefined {
  const length = gob.unsigned();
  const id = (gob.unsigned() + 1) / 2;
  if (id < SET_ID || id > MAX_SET_ID || !Number.isInteger(id)) return undefined;
  gob.expect(mapFromUnsignedToBool(id));
  return length === setDefinition(id)[0] ? id : undefined;
}

function readUnsigned(gob: GobReader): number {
  return gob.message(UNSIGNED, () => gob.unsigned());
}

function readBytes(gob: GobReader): Uint8Array {
  return gob.message(BYTES, () => gob.raw(gob.unsigned()));
}

function writeUnsigned(gob: GobWriter, value: number): void {
  gob.head(UNSIGNED, unsignedLength(value));
  gob.unsigned(value);
}

function writeBytes(gob: GobWriter, bytes: Uint8Array): void {
  gob.head(BYTES, unsignedLength(bytes.length) + bytes.length);
  gob.unsigned(bytes.length);
  gob.raw(bytes);
}

function writeBool(gob: GobWriter, value: boolean): void {
  gob.head(BOOL, 1);
  gob.unsigned(value ? 1 : 0);
}

function reject(error: string): DecodedSketch {
  return { ok: false, error };
}
