#!/usr/bin/env node
// Runs the broker on the Bun that npm installed beside it, so that Node on the PATH is all a machine needs.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const bun = join(dirname(require.resolve("bun/package.json")), "bin", "bun.exe");

if (!existsSync(bun)) {
  console.error(
    "snowflake-broker: Bun is missing: run npm install here, with install scripts allowed",
  );
  process.exit(1);
}

const args = [main, ...process.argv.slice(2)];

// From Node 23.11 on this process can become the broker; before, it stays and hands signals on.
if (typeof process.execve === "function") process.execve(bun, [bun, ...args], process.env);

const broker = spawn(bun, args, { stdio: "inherit" });
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
  process.on(signal, () => broker.kill(signal));
}
broker.on("error", (error) => {
  console.error(`snowflake-broker: ${error.message}`);
  process.exit(1);
});
broker.on("exit", (code, signal) => {
  process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
});
