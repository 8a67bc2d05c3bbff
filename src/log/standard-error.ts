/** The log on standard error, which may be a full disk, or a pipe that nobody reads. */

import { OutputWriter } from "../system/output-writer.ts";
import { systemClock } from "../system/system-clock.ts";
import { openStandardOutput } from "../system/unblocked-output.ts";
import { createLogger, type Logger, type LoggerOptions } from "./logger.ts";

/** Bytes of lines that wait for a reader. Some ten thousand lines: more than a day of a broker that works. */
const ROOM = 1024 * 1024;

/**
 * The logger of this process. A line is on standard error when the call returns, or waits if it can't be written now.
 * Lines beyond 1 MiB are lost, and their number is logged once there is room.
 */
export function logToStandardError(options: Omit<LoggerOptions, "write">): Logger {
  const output = new OutputWriter({
    writeAtOnce: openStandardOutput(2),
    room: ROOM,
    clock: systemClock,
    onCaughtUp: () => log.flush(),
  });
  const log = createLogger({ ...options, write: (text) => output.write(text) });
  process.on("exit", () => {
    output.finish();
    log.flush();
  });
  return log;
}
