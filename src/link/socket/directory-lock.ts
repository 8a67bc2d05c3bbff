/** A lock on a directory. The kernel releases it when its process ends, and it leaves no file behind. */

import { dlopen, FFIType } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** LOCK_EX | LOCK_NB of flock(2), the same on Linux and macOS. */
const EXCLUSIVE_AT_ONCE = 2 | 4;

/** Milliseconds between two attempts. */
const RETRY = 5;

/** Milliseconds after which whoever has the lock must be stuck: it is held for as long as a connection takes. */
const TIMEOUT = 5_000;

/** The C library: glibc, musl, macOS. */
const LIBRARIES = ["libc.so.6", `libc.musl-${machine()}.so.1`, "libSystem.B.dylib"];

function machine(): string {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}

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
  for (const library of LIBRARIES) {
    try {
      return dlopen(library, {
        flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
      }).symbols.flock;
    } catch {
      // Another system has another one.
    }
  }
  throw new Error("the C library has not been found, for flock(2)");
}
