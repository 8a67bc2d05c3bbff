/** The `distinct-count` command: how many distinct addresses the journals saw in a span of time. */

import { countDistinct } from "../metrics/distinct/distinct-count.ts";
import { type CommandResult, failed, flag } from "./command.ts";
import { BOOL, parseGoFlags, STRING } from "./go-flag.ts";

const NAME = "distinct-count";

const USAGE = `Usage: snowflake-broker distinct-count -in FILE [-in FILE ...] -from TIME -to TIME [--json]

Counts the distinct addresses in the journals (--ip-count-prefix) of one run, over the chunks
that lie wholly between two times (RFC 3339, such as 2026-08-01T00:00:00Z).
`;

/** Runs the command with the arguments after its name. */
export async function runDistinctCount(args: readonly string[]): Promise<CommandResult> {
  const files: string[] = [];
  let from = "";
  let to = "";
  let json = false;
  const parsed = parseGoFlags(args, [
    flag("in", STRING, (value) => void files.push(value)),
    flag("from", STRING, (value) => (from = value)),
    flag("to", STRING, (value) => (to = value)),
    flag("json", BOOL, (value) => (json = value)),
  ]);
  if (parsed.kind === "help") return { stdout: USAGE, stderr: "", exitCode: 0 };
  if (parsed.kind === "error") return failed(NAME, parsed.message, 2);

  const counted = await countDistinct({ files, from, to, json });
  if (!counted.ok) return failed(NAME, counted.error, 1);
  const warnings = counted.warnings.map((warning) => `warning: ${warning}\n`);
  return { stdout: counted.output, stderr: warnings.join(""), exitCode: 0 };
}
