/** How the programs of the bench run and end. */

import { UsageError } from "./options.ts";

/**
 * Runs a program with the arguments of the process and ends the process with the code that it resolves to, 0 if with none; 1
 * after a failure, which is printed; 2 if the arguments were wrong. The signal aborts at SIGINT and SIGTERM.
 */
export async function runProgram(
  main: (args: readonly string[], signal: AbortSignal) => Promise<number | void>,
): Promise<never> {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  process.once("SIGTERM", () => interrupted.abort());
  try {
    process.exit((await main(process.argv.slice(2), interrupted.signal)) ?? 0);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${interrupted.signal.aborted ? "interrupted" : reason}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}
