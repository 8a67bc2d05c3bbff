/** Tor's two country files, read from disk as one: both, or neither. */

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";

import { explainFileError, fileTooLarge } from "../system/named-file.ts";
import {
  type CountryTable,
  type Family,
  type ParsedCountryTable,
  parseInSlices,
} from "./country-table.ts";
import { GeoIp } from "./geoip.ts";

/** Tor's two country files. */
export interface CountryFilePaths {
  readonly ipv4: string;
  readonly ipv6: string;
  /** Somebody named one of them: a start without it is not what they asked for. */
  readonly required: boolean;
}

/** A country file in use: what the log says of it. */
export interface CountryFile {
  readonly path: string;
  /** SHA-1 of the whole file, in lower-case hex. */
  readonly sha1: string;
  readonly entries: number;
}

export interface CountryFileProblem {
  /** `missing` is no more than that; a caller may do without a file that nobody asked for. */
  readonly kind: "missing" | "unreadable" | "malformed";
  readonly path: string;
  /** Words for the operator; the path need not be among them. */
  readonly error: string;
}

export type CountryFiles =
  | { readonly ok: true; readonly geoip: GeoIp; readonly files: readonly CountryFile[] }
  /** One problem for each bad file, so one or two. */
  | { readonly ok: false; readonly problems: readonly CountryFileProblem[] };

type LoadedFile =
  | { readonly ok: true; readonly table: CountryTable; readonly file: CountryFile }
  | { readonly ok: false; readonly problem: CountryFileProblem };

/** Bytes that are hashed at a time: about a millisecond. */
const HASHED_BYTES = 1024 * 1024;

/** Largest file that is read, in bytes: eight times today's larger one. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;

/**
 * Reads both files anew. Doesn't reject, and changes nothing elsewhere: to reload, put the new `geoip` in the place of
 * the old one if this went well, and keep the old one if not. Peers are served meanwhile.
 */
export async function readCountryFiles(ipv4Path: string, ipv6Path: string): Promise<CountryFiles> {
  const ipv4 = await loadFile(ipv4Path, 4);
  const ipv6 = await loadFile(ipv6Path, 6);
  if (ipv4.ok && ipv6.ok) {
    const geoip = new GeoIp(ipv4.table, ipv6.table);
    return { ok: true, geoip, files: [ipv4.file, ipv6.file] };
  }
  const problems = [ipv4, ipv6].flatMap((loaded) => (loaded.ok ? [] : [loaded.problem]));
  return { ok: false, problems };
}

async function loadFile(path: string, family: Family): Promise<LoadedFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(path);
  } catch (error) {
    const kind = isNotFound(error) ? "missing" : "unreadable";
    return { ok: false, problem: { kind, path, error: explainFileError(error, "read") } };
  }
  const parsed = await parseBesideOthers(bytes, family);
  if (!parsed.ok) return { ok: false, problem: { kind: "malformed", path, error: parsed.error } };
  const sha1 = await hashBesideOthers(bytes);
  return { ok: true, table: parsed.table, file: { path, sha1, entries: parsed.entries } };
}

async function parseBesideOthers(bytes: Uint8Array, family: Family): Promise<ParsedCountryTable> {
  const parsing = parseInSlices(bytes, family);
  for (;;) {
    const step = parsing.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}

async function hashBesideOthers(bytes: Uint8Array): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha1");
  for (let start = 0; start < bytes.length; start += HASHED_BYTES) {
    hasher.update(bytes.subarray(start, start + HASHED_BYTES));
    await setImmediate();
  }
  return hasher.digest("hex");
}

/** Reads to the end, whatever the size on disk says: the path may be a device. A pipe is refused, and not waited for. */
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (stats.isFIFO()) throw new Error("it is a pipe");
    const { size } = stats;
    // One byte more, to see the end without growing.
    let bytes = new Uint8Array(Math.min(size, MAX_FILE_BYTES) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      if (bytesRead === 0) return bytes.subarray(0, length);
      length += bytesRead;
      if (length > MAX_FILE_BYTES) throw fileTooLarge(MAX_FILE_BYTES);
      if (length === bytes.length) {
        const larger = new Uint8Array(Math.min(length * 2, MAX_FILE_BYTES + 1));
        larger.set(bytes);
        bytes = larger;
      }
    }
  } finally {
    await file.close();
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
