/** A lock on a directory. The kernel releases it when its process ends, and it leaves no file behind. */

import { FFIType } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { loadFromCLibrary } from "../../system/c-library.ts";

/** LOCK_EX | LOCK_NB of flock(2), the same on Linux and macOS. */
const EXCLUSIVE_AT_ONCE = 2 | 4;

/** Milliseconds between two attempts. */
const RETRY = 5;

/** Milliseconds after which whoever has the lock must be stuck: it is held for as long as a connection takes. */
const TIMEOUT = 5_000;

/**
 * Runs something while no other process, nor another call in this one, has the lock of that directory. Rejects if the
 * directory can't be opened, if the lock can't be had within 5 s, and with what `run` rejects with.
 */
export async function withDirectoryLocked<T>(directory: string, run: () => Promise<T>): Promise<T> {
  const fd = openSync(directory, "r");
  try {
    const end = performance.now() + TIMEOUT;
    while (flock(fd, EXCLUSIVE_AT_ONCE) !== 0) {
      if (performance.now() > end) {
        throw new Error(`another process has had the lock of ${directory} for ${TIMEOUT} ms`);
      }
      await sleep(RETRY);
    }
    return await run();
  } finally {
    closeSync(fd);
  }
}

let loaded: ((fd: number, operation: number) => number) | undefined;

/** 0: it is locked; -1: somebody else has the lock, or the file system has no locks. */
function flock(fd: number, operation: number): number {
  loaded ??= loadFlock();
  return loaded(fd, operation);
}

function loadFlock() {
  const { flock: locks } = loadFromCLibrary({
    flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  });
  return locks;
}
