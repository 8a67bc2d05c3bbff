/** Which http-frontends belong to one broker: those of the same core. */

import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { parseOptions } from "../cli/options.ts";

/** Whether a process is an http-frontend of the core on that socket, by its command line. Linux only. */
export function isFrontendOf(pid: number, socket: string): boolean {
  const args = ofProcess(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"))?.split("\0") ?? [];
  const role = args.indexOf("http-frontend");
  if (role === -1) return false;
  // The last argument ends with a zero byte, too.
  const parsed = parseOptions(args.slice(role + 1, -1), "http-frontend");
  if (parsed.kind !== "run" || parsed.run.role !== "http-frontend") return false;
  const directory = ofProcess(() => readlinkSync(`/proc/${pid}/cwd`)) ?? ".";
  return realPath(resolve(directory, parsed.run.options.socket)) === realPath(socket);
}

/** The socket itself may not be there yet. */
function realPath(socket: string): string {
  const path = resolve(socket);
  return join(ofProcess(() => realpathSync(dirname(path))) ?? dirname(path), basename(path));
}

/** Undefined: the process has ended, or this one may not look. */
function ofProcess(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
