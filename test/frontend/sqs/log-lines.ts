/** A log that is kept for reading. */

import { createLogger, type Logger } from "../../../src/log/logger.ts";

export class LogLines {
  readonly lines: string[] = [];
  readonly logger: Logger = createLogger({
    format: "text",
    level: "debug",
    unsafe: true,
    write: (chunk) => void this.lines.push(chunk),
    now: () => new Date(0),
  });

  get text(): string {
    return this.lines.join("");
  }
}
