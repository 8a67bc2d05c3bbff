/** What commands that end by themselves have in common. */

import type { FlagType, GoFlag } from "./go-flag.ts";

/** What a command prints, and how it exits. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A flag of a command; `take` gets each value given for it. */
export function flag<T>(name: string, type: FlagType<T>, take: (value: T) => unknown): GoFlag {
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

/** A command that failed. `exitCode`: 2 for a wrong use, 1 for anything else. */
export function failed(command: string, message: string, exitCode: 1 | 2): CommandResult {
  return { stdout: "", stderr: `snowflake-broker ${command}: ${message}\n`, exitCode };
}
