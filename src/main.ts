/** Reads the command line and starts one role. */

import packageJson from "../package.json" with { type: "json" };
import { type RunningBroker, startAllInOne } from "./all-in-one.ts";
import { createLogger } from "./log/logger.ts";
import { logProcessErrors } from "./log/process-errors.ts";
import { newcomerHints } from "./newcomer-hints.ts";
import { type Options, parseOptions } from "./options.ts";

function run(options: Options, warnings: readonly string[]): void {
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

  const started = startAllInOne(options, log, (code) => process.exit(code));
  if (!started.ok) {
    log.error(started.error);
    process.exit(1);
  }
  running.resolve(started.broker);
  // Not through the log: these lines hold addresses, though none of a peer.
  process.stdout.write(newcomerHints(options, started.broker.url));
}

const commandLine = parseOptions(process.argv.slice(2));
switch (commandLine.kind) {
  case "run":
    run(commandLine.options, commandLine.warnings);
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
