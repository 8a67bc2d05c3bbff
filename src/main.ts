/** Reads the command line and starts one role. */

import packageJson from "../package.json" with { type: "json" };
import { type RunningBroker, startAllInOne } from "./all-in-one.ts";
import { runDistinctCount } from "./distinct-count.ts";
import { createLogger } from "./log/logger.ts";
import { logProcessErrors } from "./log/process-errors.ts";
import { newcomerHints } from "./newcomer-hints.ts";
import { type Options, parseOptions } from "./options.ts";

async function run(options: Options, warnings: readonly string[]): Promise<void> {
  const log = createLogger({
    format: options.logFormat,
    level: options.logLevel,
    unsafe: options.unsafeLogging,
    write: (chunk) => void process.stderr.write(chunk),
    now: () => new Date(),
  });
  logProcessErrors(process, log);
  for (const warning of warnings) log.warn(warning);

  // Signals are caught from here on: one that comes while the broker starts is acted on when it has started.
  const running = Promise.withResolvers<RunningBroker>();
  const on = (signal: NodeJS.Signals, act: (broker: RunningBroker) => unknown) =>
    process.on(signal, () => void running.promise.then(act));
  on("SIGTERM", (broker) => broker.stop("SIGTERM"));
  on("SIGINT", (broker) => broker.stop("SIGINT"));
  on("SIGHUP", (broker) => broker.reload());

  const started = await startAllInOne(options, log, (code) => process.exit(code));
  if (!started.ok) {
    log.error(started.error);
    process.exit(1);
  }
  running.resolve(started.broker);
  // Not through the log: these lines hold addresses, though none of a peer.
  process.stdout.write(newcomerHints(options, started.broker.url));
}

/** Commands that end by themselves, by their name. */
const COMMANDS = new Map([["distinct-count", runDistinctCount]]);

async function main(args: readonly string[]): Promise<void> {
  const command = COMMANDS.get(args[0] ?? "");
  if (command !== undefined) {
    const { stdout, stderr, exitCode } = await command(args.slice(1));
    process.stderr.write(stderr);
    process.stdout.write(stdout);
    process.exitCode = exitCode;
    return;
  }
  const commandLine = parseOptions(args);
  switch (commandLine.kind) {
    case "run":
      await run(commandLine.options, commandLine.warnings);
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
