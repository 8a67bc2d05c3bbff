/** The `distinct-count` command: how many distinct addresses the journals of one run saw in a span of time. */

import { explainFileError } from "../../system/named-file.ts";
import { type ByteLine, splitLines } from "./byte-lines.ts";
import { readJournal } from "./journal-files.ts";
import { decodeJournalLine, decodeRecorded } from "./journal-line.ts";
import { parseRfc3339 } from "./rfc3339.ts";
import { DistinctSketch } from "./sketch.ts";

/** Bytes of the longest line accepted. The longest ever written has about 350,000. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

export interface DistinctCountOptions {
  /** Journals of one run: runs mask addresses with different keys, and their union means nothing. */
  readonly files: readonly string[];
  /** RFC 3339. Chunks that begin earlier are left out. */
  readonly from: string;
  /** RFC 3339. Chunks that end later are left out. */
  readonly to: string;
  readonly json: boolean;
}

export type DistinctCountOutcome =
  | {
      readonly ok: true;
      /** For standard output. */
      readonly output: string;
      /** For standard error, a line each. */
      readonly warnings: readonly string[];
    }
  /** `error` is for standard error; the exit status is 1. */
  | { readonly ok: false; readonly error: string };

interface Span {
  /** Nanoseconds since 1970. */
  readonly from: bigint;
  /** Nanoseconds since 1970. */
  readonly to: bigint;
}

/** Counts. All files are read to the end before anything is said; a file is never in memory as a whole. */
export async function countDistinct(options: DistinctCountOptions): Promise<DistinctCountOutcome> {
  const from = parseRfc3339(options.from);
  if (from === undefined)
    return fail(`from: not an RFC 3339 time: ${JSON.stringify(options.from)}`);
  const to = parseRfc3339(options.to);
  if (to === undefined) return fail(`to: not an RFC 3339 time: ${JSON.stringify(options.to)}`);
  // An empty name would open the current directory.
  if (options.files.length === 0 || options.files.includes("")) return fail("in: no file given");
  const union = new Union({ from, to });
  for (const file of options.files) {
    const error = await union.addFile(file);
    if (error !== undefined) return fail(error);
  }
  const sum = union.sketch.estimate();
  const chunkIncluded = union.chunks;
  const output = options.json
    ? JSON.stringify({ sum, chunkIncluded, files: options.files.length })
    : `sum = ${sum}\nchunkIncluded = ${chunkIncluded}`;
  return { ok: true, output: `${output}\n`, warnings: union.warnings };
}

/** The chunks of a span, united as they are read. */
class Union {
  readonly sketch = new DistinctSketch();
  readonly warnings: string[] = [];
  chunks = 0;
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  /** Adds the chunks of a file; the error names the file and the line. */
  async addFile(file: string): Promise<string | undefined> {
    let number = 0;
    try {
      for await (const line of splitLines(readJournal(file), MAX_LINE_BYTES)) {
        number++;
        const error = this.#addLine(line);
        if (error === undefined) continue;
        const message = `${file}: line ${number}: ${error}`;
        // A crash can leave the last line half written.
        if (line.kind === "too-long" || line.complete) return message;
        this.warnings.push(`${message}: incomplete last line skipped`);
      }
    } catch (error) {
      return `${file}: ${explainFileError(error, "read")}`;
    }
    return undefined;
  }

  #addLine(line: ByteLine): string | undefined {
    if (line.kind === "too-long") return `longer than ${MAX_LINE_BYTES} bytes`;
    const decoded = decodeJournalLine(line.bytes);
    if (!decoded.ok) return decoded.error;
    const { start, end, recorded } = decoded.line;
    if (start < this.#span.from || end > this.#span.to) return undefined;
    const chunk = decodeRecorded(recorded);
    if (!chunk.ok) return `recorded: ${chunk.error}`;
    this.sketch.merge(chunk.sketch);
    this.chunks++;
    return undefined;
  }
}

function fail(error: string): DistinctCountOutcome {
  return { ok: false, error };
}
