/** Loaded into a broker process before the program, which stays as it is: on SIGUSR2 it says what the process holds. */

import { heapStats } from "bun:jsc";

let asked = 0;

process.on("SIGUSR2", () => {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  asked++;
  process.stderr.write(`memory ${asked}: ${heapSize + extraMemorySize} bytes\n`);
});
