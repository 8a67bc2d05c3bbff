/** Errors that nobody has caught: they go through the log, for the runtime would print them unscrubbed. */

import type { Logger } from "./logger.ts";

/** What is needed of `process`. */
export interface ProcessEvents {
  on(
    event: "uncaughtException" | "unhandledRejection",
    listener: (thrown: unknown) => void,
  ): unknown;
  on(event: "warning", listener: (warning: Error) => void): unknown;
  removeAllListeners(event: "warning"): unknown;
  exit(code: number): void;
}

/**
 * From now on an uncaught exception or an unhandled rejection is logged on one line, stack included, and ends the
 * process with exit code 1; a warning of the runtime is logged instead of printed.
 */
export function logProcessErrors(process: ProcessEvents, logger: Logger): void {
  const logAndExit = (message: string) => (thrown: unknown) => {
    logger.error(message, { error: describe(thrown) });
    logger.flush();
    process.exit(1);
  };
  process.on("uncaughtException", logAndExit("uncaught exception"));
  process.on("unhandledRejection", logAndExit("unhandled rejection"));

  // Among the listeners is the runtime's own, which prints.
  process.removeAllListeners("warning");
  process.on("warning", (warning) => logger.warn("runtime warning", { error: describe(warning) }));
}

/** Of an error and those behind it, so many are told. */
const MAX_ERRORS = 8;

/** The stacks, which hold name and message, of an error and of those behind it. Never throws: the runtime would print. */
function describe(thrown: unknown): string {
  try {
    const texts: string[] = [];
    const errors = [thrown];
    for (const error of errors) {
      if (texts.length === MAX_ERRORS) break;
      texts.push(describeOne(error));
      if (error instanceof AggregateError) errors.push(...error.errors);
      if (error instanceof Error && error.cause !== undefined) errors.push(error.cause);
    }
    return texts.join("\ncaused by ");
  } catch {
    return "something that can't be printed";
  }
}

function describeOne(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.stack ?? String(thrown);
  return typeof thrown === "string" ? thrown : Bun.inspect(thrown);
}
