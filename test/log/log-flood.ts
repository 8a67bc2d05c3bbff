/**
 * A process with the log of the broker that logs LINES lines in one go, and then says on standard output how long its
 * event loop stood still, in ms. On SIGTERM it logs one line more and exits.
 */

import { logToStandardError } from "../../src/log/standard-error.ts";

const log = logToStandardError({
  format: "text",
  level: "info",
  unsafe: false,
  now: () => new Date(0),
});

process.on("SIGTERM", () => {
  log.info("last");
  process.exit(0);
});

const begun = performance.now();
const lines = Number(process.argv[2]);
for (let i = 0; i < lines; i++) log.info(`line ${i}`, { filler: "x".repeat(60) });
// The timers in between try to write again and again.
setTimeout(() => {
  process.stdout.write(`${Math.round(performance.now() - begun)}\n`);
}, 200);
setInterval(() => {}, 1000);
