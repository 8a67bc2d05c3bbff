#!/usr/bin/env node
// Runs the broker on the Bun that npm installed beside it, so that Node on the PATH is all a machine needs.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { findStarters } from "./starters.js";

/** In bytes: what stands in for the binary before the install script ran is a few hundred. */
const SMALLEST_BINARY = 1_000_000;

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const bun = findBun(dirname(createRequire(import.meta.url).resolve("bun/package.json")));

if (bun === undefined) {
  console.error("snowflake-broker: Bun is missing for this machine: run npm install here");
  process.exit(1);
}

/** Nothing is read from the folder that the broker is started in: a bunfig.toml there could run code, a .env set flags. */
const RUNTIME_FLAGS = ["--config=/dev/null", "--no-env-file", "--no-install"];

const args = [...RUNTIME_FLAGS, main, ...process.argv.slice(2)];

// From Node 22.15 on this process can become the broker; before, it stays and hands signals on.
const becomesBroker = typeof process.execve === "function";

/** What the broker ends with: see src/roles/starters.ts. */
const starters = becomesBroker ? findStarters() : [process.pid, ...findStarters()];
const env = {
  // Milliseconds after which freed memory goes back to the system. With the default of a few, much of it is asked for
  // again at once, which costs a tenth of the CPU under load.
  MIMALLOC_PURGE_DELAY: "1000",
  ...process.env,
  SNOWFLAKE_BROKER_STARTERS: starters.join(","),
};

if (becomesBroker) process.execve(bun, [bun, ...args], env);

const broker = spawn(bun, args, { stdio: "inherit", env });
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

/** Bun's own install script puts the binary into its package; where npm did not run it, it is in the platform's. */
function findBun(bunPackage) {
  const platforms = join(bunPackage, "../@oven");
  const names = existsSync(platforms) ? readdirSync(platforms) : [];
  return [
    join(bunPackage, "bin/bun.exe"),
    ...names.flatMap((name) =>
      ["bun", "bun.exe"].map((file) => join(platforms, name, "bin", file)),
    ),
  ].find((path) => existsSync(path) && statSync(path).size > SMALLEST_BINARY);
}
