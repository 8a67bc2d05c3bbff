/** Which process started which. */

import { processIds, readProcessStat } from "../../src/system/processes.ts";

/** The process ids of those that a process has started and that are still there. */
export function childrenOf(pid: number): number[] {
  return processIds().filter((other) => readProcessStat(other)?.parent === pid);
}

/** Whether it is there, and not merely waiting for somebody to ask how it ended. */
export function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== undefined && stat.state !== "Z";
}
