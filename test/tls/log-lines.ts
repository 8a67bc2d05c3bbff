/** What was logged, line by line, as operators see it but for the date. */

import { createLogger, type Logger } from "../../src/log/logger.ts";

export class LogLines {
  readonly lines: string[] = [];
  readonly log: Logger = createLogger({
    format: "text",
    level: "debug",
    unsafe: false,
    write: (chunk) => void this.lines.push(...chunk.trimEnd().split("\n").map(withoutDate)),
    now: () => new Date(0),
  });

  /** The lines of that level, without it. */
  of(level: "WARN" | "ERROR"): string[] {
    return this.lines
      .filter((line) => line.startsWith(`${level} `))
      .map((line) => line.slice(level.length + 1));
  }
}

function withoutDate(line: string): string {
  return line.slice("1970/01/01 00:00:00 ".length);
}
