/**
 * The load generator, a process of its own so that its CPU time is nobody else's. Peers of a Snowflake broker on
 * keep-alive connections to 127.0.0.1; the result goes to standard output as one line of JSON.
 */

import { formatLoadResult } from "./load-result.ts";
import { measureIdle, measureMatching, type Progress } from "./measure.ts";
import {
  formatOptions,
  givenCount,
  type Option,
  parseOptions,
  requiredCount,
  UsageError,
} from "./options.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  port: { type: "string", value: "PORT", help: "where the server listens on 127.0.0.1" },
  pid: { type: "string", value: "PID", help: "the server's process; its children count too" },
  proxies: { type: "string", value: "N", default: "200", help: "proxies waiting at any time" },
  clients: { type: "string", value: "N", default: "16", help: "clients in a closed loop" },
  seconds: { type: "string", value: "N", default: "10", help: "length of the window" },
  warmup: { type: "string", value: "N", default: "5", help: "seconds before the window" },
  idle: { type: "string", value: "N", help: "no clients: memory with N proxies waiting" },
  constant: { type: "boolean", help: "the server answers constants at once" },
  progress: { type: "boolean", help: "one line a second on standard error" },
  label: { type: "string", value: "TEXT", default: "", help: "begins each of these lines" },
  help: { type: "boolean", help: "print this" },
};

async function main(): Promise<void> {
  const given = parseOptions(process.argv.slice(2), OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(
      `Usage: bun bench/load.ts --port PORT --pid PID\n${formatOptions(OPTIONS)}`,
    );
    return;
  }
  const server = {
    port: requiredCount(given, "port", 1),
    pid: requiredCount(given, "pid", 1),
  };
  const label = given.texts.get("label")?.at(-1) ?? "";
  const progress = given.switches.has("progress") ? progressTo(label) : () => {};
  const idle = givenCount(given, "idle", 1);
  const load = {
    proxies: given.switches.has("constant") ? "constant" : requiredCount(given, "proxies", 1),
    clients: requiredCount(given, "clients", 1),
    seconds: requiredCount(given, "seconds", 1),
    warmup: requiredCount(given, "warmup", 0),
  } as const;
  const result =
    idle === undefined
      ? await measureMatching(server, load, progress)
      : await measureIdle(server, idle, progress);
  process.stdout.write(`${formatLoadResult(result)}\n`);
}

function progressTo(label: string): Progress {
  let matchesBefore = 0;
  return (phase, tally) => {
    const matches = tally.matches - matchesBefore;
    matchesBefore = tally.matches;
    process.stderr.write(
      `${label}  ${phase.padEnd(8)}  ${matches} matches/s  ${tally.waiting} waiting  ${tally.errorCount} errors\n`,
    );
  };
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
