/** One line of a journal: a chunk of time and the masked addresses seen in it. */

import { foldMemberName, JsonReader } from "../../messages/json-reader.ts";
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

const MEMBERS = new Map([
  ["recordingstart", "recordingstart"],
  ["recordingend", "recordingend"],
  ["recorded", "recorded"],
] as const);

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
  let recordingStart = "";
  let recordingEnd = "";
  let recorded = "";
  const json = new JsonReader(decodeUtf8(bytes));
  for (let name = json.firstMember(); name !== undefined; name = json.nextMember()) {
    switch (foldMemberName(MEMBERS, name)) {
      case "recordingstart":
        recordingStart = json.string(recordingStart);
        break;
      case "recordingend":
        recordingEnd = json.string(recordingEnd);
        break;
      case "recorded":
        recorded = json.string(recorded);
        break;
      case undefined:
        json.skip();
    }
  }
  if (json.error !== undefined) return { ok: false, error: json.error };
  const start = parseRfc3339(recordingStart);
  if (start === undefined) return { ok: false, error: "recordingStart is not an RFC 3339 time" };
  const end = parseRfc3339(recordingEnd);
  if (end === undefined) return { ok: false, error: "recordingEnd is not an RFC 3339 time" };
  return { ok: true, line: { start, end, recorded } };
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
