/** One line of a journal: a chunk of time and the masked addresses seen in it. */

import { JsonMembers } from "../../messages/json-members.ts";
import { decodeUtf8 } from "../../messages/utf8.ts";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";
import { type DecodedSketch, decodeSketch, encodeSketch } from "./sketch-codec.ts";
import type { DistinctSketch } from "./sketch.ts";

/** A time in milliseconds since 1970 together with its zone, in minutes east of UTC. */
export interface ZonedTime {
  readonly time: number;
  readonly offset: number;
}

/** A line as read. The state is not decoded yet: many lines are read only to be passed over. */
export interface JournalLine {
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  /** Nanoseconds since 1970. */
  readonly end: bigint;
  /** The state in base64. */
  readonly recorded: string;
}

export type DecodedLine =
  | { readonly ok: true; readonly line: JournalLine }
  | { readonly ok: false; readonly error: string };

interface Members {
  recordingStart: string;
  recordingEnd: string;
  recorded: string;
}

const MEMBERS = new JsonMembers<Members>({
  recordingStart: (json, it) => (it.recordingStart = json.string(it.recordingStart)),
  recordingEnd: (json, it) => (it.recordingEnd = json.string(it.recordingEnd)),
  recorded: (json, it) => (it.recorded = json.string(it.recorded)),
});

/** Writes a line, with its line feed. */
export function encodeJournalLine(
  start: ZonedTime,
  end: ZonedTime,
  recorded: DistinctSketch,
): string {
  const from = formatRfc3339(start.time, start.offset);
  const to = formatRfc3339(end.time, end.offset);
  const state = encodeSketch(recorded).toBase64();
  return `{"recordingStart":"${from}","recordingEnd":"${to}","recorded":"${state}"}\n`;
}

/** Reads a line; the line feed has been taken off. All three members must be there. */
export function decodeJournalLine(bytes: Uint8Array): DecodedLine {
  const members = { recordingStart: "", recordingEnd: "", recorded: "" };
  const error = MEMBERS.read(decodeUtf8(bytes), members);
  if (error !== undefined) return { ok: false, error };
  const start = parseRfc3339(members.recordingStart);
  if (start === undefined) return { ok: false, error: "recordingStart is not an RFC 3339 time" };
  const end = parseRfc3339(members.recordingEnd);
  if (end === undefined) return { ok: false, error: "recordingEnd is not an RFC 3339 time" };
  return { ok: true, line: { start, end, recorded: members.recorded } };
}

/** Decodes the `recorded` member of a line. */
export function decodeRecorded(recorded: string): DecodedSketch {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(recorded, { lastChunkHandling: "strict" });
  } catch {
    return { ok: false, error: "not base64" };
  }
  return decodeSketch(bytes);
}
