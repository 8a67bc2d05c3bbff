/** The `distinct-count` command: how many distinct addresses the journals saw in a span of time. */

import { countDistinct } from "../metrics/distinct/distinct-count.ts";
import { BOOL, type FlagType, type GoFlag, parseGoFlags, STRING } from "./go-flag.ts";

const USAGE = `Usage: snowflake-broker distinct-count -in FILE [-in FILE ...] -from TIME -to TIME [--json]

Counts the distinct addresses in the journals (--ip-count-prefix) of one run, over the chunks
that lie wholly between two times (RFC 3339, such as 2026-08-01T00:00:00Z).
`;

/** What a command prints, and how it exits. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

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
  if (parsed.kind === "error") return failed(parsed.message, 2);

  const counted = await countDistinct({ files, from, to, json });
  if (!counted.ok) return failed(counted.error, 1);
  const warnings = counted.warnings.map((warning) => `warning: ${warning}\n`);
  return { stdout: counted.output, stderr: warnings.join(""), exitCode: 0 };
}

function failed(message: string, exitCode: number): CommandResult {
  return { stdout: "", stderr: `snowflake-broker distinct-count: ${message}\n`, exitCode };
}

function flag<T>(name: string, type: FlagType<T>, take: (value: T) => unknown): GoFlag {
  return {
    name,
    isBoolean: type.name === "bool",
    set(text) {
      const parsed = type.parse(text);
      if (!parsed.ok) return parsed.fault;
      take(parsed.value);
      return undefined;
    },
  };
}
