/** Reading a file that an operator has named, which may be something else. */

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
