/** The temporary directory of one run of the tests or of a bench: nothing in it outlives the run. */

import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isRunning } from "../test/kit/process-tree.ts";

/** The name begins with this; then come the process id, a hyphen, and six characters. Short: paths of sockets are. */
const PREFIX = "snowflake-run-";
const NAME = /^snowflake-run-([1-9]\d*)-[A-Za-z0-9]{6}$/;

export interface RunDirectory extends Disposable {
  readonly path: string;
}

/**
 * Makes a directory that is the temporary directory of this process, and of children that are given `process.env`. It
 * is removed when disposed of. Those of processes that ended without doing so are removed first.
 */
export function openRunDirectory(): RunDirectory {
  const parent = tmpdir();
  for (const name of readdirSync(parent)) {
    if (isAbandoned(parent, name)) remove(join(parent, name));
  }
  const path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  process.env["TMPDIR"] = path;
  return {
    path,
    [Symbol.dispose]() {
      process.env["TMPDIR"] = parent;
      remove(path);
    },
  };
}

function isAbandoned(parent: string, name: string): boolean {
  const pid = NAME.exec(name)?.[1];
  if (pid === undefined || isRunning(Number(pid))) return false;
  const stats = lstatSync(join(parent, name), { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}

/** Tries again when a process that is being killed writes there meanwhile. */
function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}
