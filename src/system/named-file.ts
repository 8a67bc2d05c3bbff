/** Files that an operator has named, which may be something else, or not there at all. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/**
 * The bytes of a regular file. Throws what the file system throws, and for anything else than a regular file: a pipe
 * would make start, reload and end wait for its other side for ever.
 */
export function readRegularFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() && !stats.isDirectory()) throw new Error("it is not a regular file");
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Why a file that was named can't be read or written, and what can be done, for an operator: one line without its path. */
export function explainFileError(error: unknown, wanted: "read" | "write"): string {
  if (!(error instanceof Error)) return String(error);
  switch ("code" in error ? error.code : "") {
    case "ENOENT":
      return wanted === "read" ? "there is no such file" : "there is no such directory: make it";
    case "ENOTDIR":
      return "a part of this path is a file and no directory";
    case "EISDIR":
      return "it is a directory: name a file in it";
    case "EACCES":
      return `permission denied: give user ${process.getuid?.() ?? ""} the right to ${wanted} it, and to enter every directory above it`;
    case "EROFS":
      return "its file system is read-only: name a file elsewhere";
    case "ENOSPC":
      return "the disk is full";
    case "ENXIO":
      return "it is a pipe that nobody reads, or a socket: name a file";
    case "EMFILE":
    case "ENFILE":
      return "there are too many open files: raise the limit (ulimit -n, LimitNOFILE=)";
    default:
      return error.message;
  }
}
