/** The processes that started this one and that it ends with, as the launcher names them (bin/starters.js). */

import { readProcessStat } from "../system/processes.ts";

/** Their ids with commas between them: the parent of this process, then the parent of that one, and so on. */
const VARIABLE = "SNOWFLAKE_BROKER_STARTERS";

/** Milliseconds between two looks. A look takes some 20 µs. */
const LOOK_EVERY = 500;

/** Calls `react` once, when one of them has ended. Never if none are named, as without a launcher. */
export function onStarterEnded(react: () => void): void {
  const named = process.env[VARIABLE] ?? "";
  if (named === "") return;
  const starters = named.split(",").map(Number);
  const timer = setInterval(() => {
    if (areAncestors(starters)) return;
    clearInterval(timer);
    react();
  }, LOOK_EVERY);
}

/** A process whose parent has ended gets another one, even if nobody has asked how the parent ended. */
function areAncestors(starters: readonly number[]): boolean {
  let parent: number | undefined = process.ppid;
  for (const starter of starters) {
    if (parent !== starter) return false;
    parent = readProcessStat(starter)?.parent;
  }
  return true;
}
