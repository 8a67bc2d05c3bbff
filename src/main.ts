/** Reads the command line and starts one role. */

import packageJson from "../package.json" with { type: "json" };
import type { CommandResult } from "./cli/command.ts";
import { runDistinctCount } from "./cli/distinct-count.ts";
import { newcomerHints } from "./cli/newcomer-hints.ts";
import { ROLES } from "./cli/option.ts";
import { parseOptions, type RoleOptions } from "./cli/options.ts";
import type { Logger } from "./log/logger.ts";
import { logProcessErrors } from "./log/process-errors.ts";
import { logToStandardError } from "./log/standard-error.ts";
import { startAllInOne } from "./roles/all-in-one.ts";
import { startCore } from "./roles/core.ts";
import { startHttpFrontend } from "./roles/http-frontend.ts";
import { oneAtATime } from "./roles/one-at-a-time.ts";
import type { Exit, Running, Started } from "./roles/role.ts";
import { onStarterEnded } from "./roles/starters.ts";
import { startWorkers } from "./roles/workers.ts";
import { openStandardOutput } from "./system/unblocked-output.ts";

async function run(role: RoleOptions, warnings: readonly string[]): Promise<void> {
  const { logFormat, logLevel, unsafeLogging } = role.options;
  const log = logToStandardError({
    format: logFormat,
    level: logLevel,
    unsafe: unsafeLogging,
    now: () => new Date(),
  });
  logProcessErrors(process, log);
  for (const warning of warnings) log.warn(warning);

  // Signals are caught from here on: one that comes while the role starts is acted on when it has started.
  const running = Promise.withResolvers<Running>();
  let stopping = false;
  const stop = (reason: string) => {
    stopping = true;
    void running.promise.then((it) => it.stop(reason));
  };
  const isWorker = role.role === "http-frontend" && role.options.untilStdinCloses;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (!isWorker) stop(signal);
    });
  }
  const reload = oneAtATime(async () => (await running.promise).reload());
  process.on("SIGHUP", () => void reload());
  if (isWorker) process.stdin.on("end", () => stop("end of standard input")).resume();
  else {
    onStarterEnded(() => {
      // After a signal it ends before the broker does, which is no request to hurry.
      if (!stopping) stop("the process that started this one has ended");
    });
  }

  const started = await startRole(role, log, (code) => process.exit(code));
  if (!started.ok) {
    log.error(started.error);
    process.exit(1);
  }
  running.resolve(started.running);
  const { url } = started.running;
  if (url !== undefined && role.role === "all-in-one") {
    // Not through the log: these lines hold addresses, though none of a peer.
    printIfRead(newcomerHints(role.options, url));
  }
}

/** Text for a person at a terminal. If standard output takes nothing now, nobody sees it. */
function printIfRead(text: string): void {
  try {
    openStandardOutput(1)(Buffer.from(text));
  } catch {
    // Hints that can't be shown are no reason to end.
  }
}

async function startRole(role: RoleOptions, log: Logger, exit: Exit): Promise<Started> {
  switch (role.role) {
    case "all-in-one":
      return role.options.workers === 0
        ? startAllInOne(role.options, log, exit)
        : startWorkers(role.options, log, exit);
    case "core":
      return startCore(role.options, log, exit);
    case "http-frontend":
      return startHttpFrontend(role.options, log, exit);
  }
}

/** Commands that end by themselves, by their name. */
const COMMANDS = new Map([
  ["distinct-count", runDistinctCount],
  ["simulate", simulate],
]);

/** Loaded when it is needed: a broker that starts has no use for it. */
async function simulate(args: readonly string[]): Promise<CommandResult> {
  const { runSimulate } = await import("./simulate/command.ts");
  return runSimulate(args, process.stderr);
}

async function main(args: readonly string[]): Promise<void> {
  const command = COMMANDS.get(args[0] ?? "");
  if (command !== undefined) {
    const { stdout, stderr, exitCode } = await command(args.slice(1));
    process.stderr.write(stderr);
    process.stdout.write(stdout);
    process.exitCode = exitCode;
    return;
  }
  const role = ROLES.find((name) => name === args[0]);
  const commandLine = role === undefined ? parseOptions(args) : parseOptions(args.slice(1), role);
  switch (commandLine.kind) {
    case "run":
      await run(commandLine.run, commandLine.warnings);
      break;
    case "help":
      process.stdout.write(commandLine.text);
      break;
    case "print-config":
      for (const warning of commandLine.warnings) process.stderr.write(`warning: ${warning}\n`);
      process.stdout.write(commandLine.text);
      break;
    case "version":
      process.stdout.write(`snowflake-broker ${packageJson.version} (Bun ${Bun.version})\n`);
      break;
    case "error":
      process.stderr.write(`snowflake-broker: ${commandLine.message}\n`);
      process.exitCode = commandLine.exitCode;
  }
}

await main(process.argv.slice(2));
