/** Files that an operator has named, which may be something else, or not there at all. */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Largest file that is read whole, in bytes: far above any bridge list, certificate or key. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Bytes that are read at a time. */
const READ_SIZE = 64 * 1024;

/**
 * The bytes of a regular file. Throws what the file system throws, if it is larger than 16 MiB, and for anything else
 * than a regular file: a pipe would make start, reload and end wait for its other side for ever.
 */
export function readRegularFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() && !stats.isDirectory()) throw new Error("it is not a regular file");
    const parts: Buffer[] = [];
    // Not by its size on disk: it may grow, and below /proc it is 0.
    for (let length = 0; ;) {
      const part = Buffer.alloc(READ_SIZE);
      const partLength = readSync(file, part);
      if (partLength === 0) return Buffer.concat(parts);
      length += partLength;
      if (length > MAX_BYTES) throw fileTooLarge(MAX_BYTES);
      parts.push(part.subarray(0, partLength));
    }
  } finally {
    closeSync(file);
  }
}

/** The error of a file that is larger than so many bytes, a multiple of 1 MiB. */
export function fileTooLarge(maxBytes: number): Error {
  return new RangeError(`it is larger than ${maxBytes / 1024 / 1024} MiB: name another file`);
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
