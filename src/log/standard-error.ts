/** Standard error as the sink of the log: it may be a full disk, or a pipe that nobody reads. */

import { constants, openSync, writeSync } from "node:fs";

/**
 * Writes to standard error before it returns. Throws if that can't be done now: the disk is full, the reader is gone, or
 * it does not read and the pipe is full. It never waits for a reader of a pipe.
 */
export function standardErrorWriter(): (text: string) => void {
  const fd = openWithoutWaiting();
  return (text) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  };
}

/** A description of its own, since one that does not wait would be shared with whoever started this process. */
function openWithoutWaiting(): number {
  try {
    const { O_WRONLY, O_APPEND, O_NONBLOCK } = constants;
    return openSync("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK);
  } catch {
    // A socket, such as a service manager's, can't be opened again, nor can another user's file.
    return 2;
  }
}
