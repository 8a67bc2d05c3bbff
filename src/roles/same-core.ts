/** Which http-frontends belong to one broker: those of the same core. */

import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { parseOptions } from "../cli/options.ts";
import { argumentsOf, directoryOf } from "../system/processes.ts";

/** Whether a process is an http-frontend of the core on that socket, by its command line. Linux only. */
export function isFrontendOf(pid: number, socket: string): boolean {
  const args = argumentsOf(pid);
  const role = args.indexOf("http-frontend");
  if (role === -1) return false;
  const parsed = parseOptions(args.slice(role + 1), "http-frontend");
  if (parsed.kind !== "run" || parsed.run.role !== "http-frontend") return false;
  const directory = directoryOf(pid) ?? ".";
  return realPath(resolve(directory, parsed.run.options.socket)) === realPath(socket);
}

/** The socket itself may not be there yet, nor its directory. */
function realPath(socket: string): string {
  const path = resolve(socket);
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}
