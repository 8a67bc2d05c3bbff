/** The path of a unix socket that several cores may want. One has it, until it gives it up or is killed. */

import { lstatSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { explainFileError } from "../../system/named-file.ts";
import { withDirectoryLocked } from "./directory-lock.ts";
import { errorCode } from "./error-code.ts";

export type TakenPlace =
  | { readonly ok: true; readonly place: SocketPlace }
  /** `error`: what stands against it, in a few words. */
  | { readonly ok: false; readonly error: string };

export class SocketPlace {
  readonly #path: string;
  readonly #file: string;

  private constructor(path: string, file: string) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Calls `listen` with a path of its own in the same directory, and moves the socket from there to `path`. A socket
   * where nobody answers is replaced. The listener can't remove anything when it stops: its own path is gone by then.
   */
  static async take(path: string, listen: (unix: string) => void): Promise<TakenPlace> {
    const directory = dirname(path);
    try {
      return await withDirectoryLocked(directory, async () => {
        const obstacle = await findObstacle(path);
        if (obstacle !== undefined) return { ok: false, error: obstacle };
        // Short, since a socket's path has 107 bytes at most.
        const unix = join(directory, `.${crypto.randomUUID().slice(0, 6)}`);
        listen(unix);
        renameSync(unix, path);
        return { ok: true, place: new SocketPlace(path, fileAt(path)) };
      });
    } catch (error) {
      return { ok: false, error: explainFileError(error, "write") };
    }
  }

  /** Removes the socket, unless another one is there by now. */
  leave(): void {
    try {
      if (fileAt(this.#path) === this.#file) rmSync(this.#path);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
}

/** Which file a path leads to. */
function fileAt(path: string): string {
  const { dev, ino } = lstatSync(path);
  return `${dev} ${ino}`;
}

/** What stands against putting a socket there; undefined: nothing is there, or a socket that nobody serves. */
async function findObstacle(path: string): Promise<string | undefined> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data() {} } });
    socket.terminate();
    return "another core is serving it";
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return undefined;
    if (code !== "ECONNREFUSED") return code;
    return statSync(path).isSocket() ? undefined : "there is a file that is no socket";
  }
}
