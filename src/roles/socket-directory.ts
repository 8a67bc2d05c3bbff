/** The directory of the socket between a core and its workers, which only this user can look into. */

import { lstatSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the name begins with; then come our process id, a hyphen, and what makes it the only one. */
const PREFIX = "snowflake-workers-";
const NAME = /^snowflake-workers-([1-9]\d{0,9})-[A-Za-z0-9]{6}$/;
const SOCKET = "core.sock";

export class SocketDirectory {
  readonly #path: string;

  /** Throws what the file system throws. */
  constructor(parent: string) {
    this.#path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  }

  /** The path where the socket is to be. */
  get socket(): string {
    return join(this.#path, SOCKET);
  }

  /** Removes it with what is in it. */
  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}

/**
 * Where such directories are: what systemd gives a service by RuntimeDirectory=, else the temporary directory. Not
 * $XDG_RUNTIME_DIR, which goes when its user logs out, though the broker may stay.
 */
export function socketDirectoryParent(): string {
  return process.env["RUNTIME_DIRECTORY"]?.split(":")[0] || tmpdir();
}

/**
 * Removes the directories that brokers left behind which had no time to do so (SIGKILL). One is removed if it is this
 * user's and closed to all others, as we make them, its process is gone, and nobody answers on its socket: in another
 * container process ids are others. Nothing but its socket is removed with it: one that holds more stays.
 */
export async function removeAbandoned(
  parent: string,
  onTrouble: (message: string) => void,
): Promise<void> {
  for (const { path, pid } of directoriesIn(parent)) {
    try {
      if (!isAbandoned(path, pid)) continue;
      if (await isServed(join(path, SOCKET))) continue;
      rmSync(join(path, SOCKET), { force: true });
      rmdirSync(path);
    } catch (error) {
      // Two brokers that start at once remove the same ones.
      if (codeOf(error) !== "ENOENT") onTrouble(`${path}: ${codeOf(error)}`);
    }
  }
}

/** What has the name of such a directory, with the process id in it. */
function directoriesIn(parent: string) {
  try {
    return readdirSync(parent).flatMap((name) => {
      const pid = NAME.exec(name)?.[1];
      return pid === undefined ? [] : [{ path: join(parent, name), pid: Number(pid) }];
    });
  } catch {
    // Whoever makes a directory there is told what is wrong.
    return [];
  }
}

/** Throws if it is gone. */
function isAbandoned(path: string, pid: number): boolean {
  // A link is looked at itself, and is no directory.
  const stats = lstatSync(path);
  const isOurs = stats.isDirectory() && stats.uid === process.getuid?.();
  if (!isOurs || (stats.mode & 0o777) !== 0o700) return false;
  // Ours is not made yet: a process in a container has the same id at every start.
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

/** Whether somebody may be serving the socket. */
async function isServed(socket: string): Promise<boolean> {
  try {
    const connection = await Bun.connect({ unix: socket, socket: { data() {} } });
    connection.terminate();
    return true;
  } catch (error) {
    return !["ECONNREFUSED", "ENOENT"].includes(codeOf(error));
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
