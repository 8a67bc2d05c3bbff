/** Which process started which. */

import { readdirSync, readFileSync } from "node:fs";

/** The process ids of those that a process has started and that are still there. */
export function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((other) => Number.isInteger(other) && readStat(other)?.parent === pid);
}

/** Whether it is there, and not merely waiting for somebody to ask how it ended. */
export function isRunning(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== "Z";
}

/** Undefined: there is no such process. */
function readStat(pid: number) {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name of the program, in parentheses, may have spaces in it.
  const [, state, parent] = /.*\) (\S) (\d+)/s.exec(text) ?? [];
  return { state, parent: Number(parent) };
}
