// The processes between the person and the broker that do not hand on every signal, or can be killed.

import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** Programs that run the scripts of a package: npm and pnpm are Node. */
const PACKAGE_RUNNERS = ["node", "bun"];

/**
 * The process ids of shells that were started for one command (`sh -c`), from the parent of this process upwards, and
 * of the package runner (npm, npx) above them. The broker is to end with each of them. Any other parent is left out: a
 * login shell and a script may end before what they started. So may a shell whose command holds a `&`, and what is in
 * another session (setsid). Empty where there is no /proc.
 */
export function findStarters() {
  const starters = [];
  try {
    const { session } = readStat("self");
    for (let pid = process.ppid, stat = readStat(pid); stat.session === session;) {
      if (isPackageRunner(pid)) return [...starters, pid];
      if (!isShellForOneCommand(pid)) break;
      starters.push(pid);
      pid = stat.parent;
      stat = readStat(pid);
    }
  } catch {
    // No /proc, or the process has ended.
  }
  return starters;
}

function isShellForOneCommand(pid) {
  const [shell, ...rest] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const flags = rest.findIndex((argument) => !argument.startsWith("-"));
  if (!shell.endsWith("sh") || !rest.slice(0, flags).some((flag) => /^-[a-z]*c$/.test(flag)))
    return false;
  // The & of && and of a redirection does not put anything in the background.
  return !/(?<![&>])&(?![&>])/.test(rest[flags]);
}

function isPackageRunner(pid) {
  if (process.env.npm_lifecycle_event === undefined) return false;
  return PACKAGE_RUNNERS.includes(basename(readlinkSync(`/proc/${pid}/exe`)));
}

/** Fields 4 and 6 of /proc/PID/stat. The program's name before them, in parentheses, may have spaces in it. */
function readStat(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [, parent, session] = /.*\) \S (\d+) \d+ (\d+)/s.exec(stat);
  return { parent: Number(parent), session: Number(session) };
}
