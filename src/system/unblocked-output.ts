/** Outputs of the process that are written without ever waiting for a reader. */

import { FFIType } from "bun:ffi";
import { constants, fstatSync, openSync, writeSync } from "node:fs";

import { loadFromCLibrary } from "./c-library.ts";

/**
 * Writes as many of these bytes as the output takes at once and returns their number, at least 1. Throws if it takes
 * none: the reader does not read or is gone, or the disk is full.
 */
export type WriteAtOnce = (bytes: Uint8Array) => number;

/** Standard output (1) or standard error (2). */
export function openStandardOutput(fd: 1 | 2): WriteAtOnce {
  const stats = fstatSync(fd);
  // Writing to a file waits for no reader. It keeps the position that it shares with whoever else writes there.
  if (stats.isFile()) return (bytes) => writeSync(fd, bytes);
  try {
    return openOutput(`/proc/self/fd/${fd}`);
  } catch {
    // A socket, such as a service manager's, can't be opened again, nor can another user's pipe.
    return pollFirst(fd);
  }
}

/**
 * A pipe or a device by its path. It is opened anew: O_NONBLOCK on an inherited description would hold for whoever else
 * has it. Throws if that fails, as for a pipe that nobody reads.
 */
export function openOutput(path: string): WriteAtOnce {
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_NONBLOCK);
  return (bytes) => {
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") throw notRead();
      throw error;
    }
  };
}

/** PIPE_BUF of Linux, in bytes: if poll(2) calls a pipe or a socket writable, so many can be written without waiting. */
const CERTAIN_ROOM = 4096;

/** POLLOUT of poll(2), the same on Linux and macOS. */
const WRITABLE = 4;

/** Asks before each write, which might wait otherwise. */
function pollFirst(fd: number): WriteAtOnce {
  const { poll } = loadFromCLibrary({
    poll: { args: [FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  });
  return (bytes) => {
    // struct pollfd: int fd, short events, short revents.
    const asked = Int32Array.of(fd, WRITABLE);
    // An output that is broken counts as ready: the write says what is wrong with it.
    if (poll(asked, 1, 0) < 1) throw notRead();
    return writeSync(fd, bytes.subarray(0, CERTAIN_ROOM));
  };
}

function notRead(): Error {
  return new Error("its reader does not read");
}
