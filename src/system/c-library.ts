/** Functions of the C library, for what the runtime has no call for. */

import { dlopen, type FFIFunction, type Library } from "bun:ffi";

/** The C library: glibc, musl, macOS. */
const LIBRARIES = ["libc.so.6", `libc.musl-${machine()}.so.1`, "libSystem.B.dylib"];

function machine(): string {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}

/** Loads the functions, which takes under 1 ms. Throws if there is no C library of a known name. */
export function loadFromCLibrary<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions>["symbols"] {
  for (const library of LIBRARIES) {
    try {
      return dlopen(library, functions).symbols;
    } catch {
      // Another system has another one.
    }
  }
  throw new Error(`the C library has not been found, for ${Object.keys(functions).join(", ")}`);
}
