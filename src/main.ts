/** Reads the command line and starts one role. */

import packageJson from "../package.json" with { type: "json" };
import { startAllInOne } from "./all-in-one.ts";
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

  const started = startAllInOne(options, log, (code) => process.exit(code));
  if (!started.ok) {
    log.error(started.error);
    process.exit(1);
  }
  const { broker } = started;
  // Not through the log: these lines hold addresses, though none of a peer.
  process.stdout.write(newcomerHints(options, broker.url));
  process.on("SIGTERM", () => void broker.stop("SIGTERM"));
  process.on("SIGINT", () => void broker.stop("SIGINT"));
  process.on("SIGHUP", () => broker.reload());
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
