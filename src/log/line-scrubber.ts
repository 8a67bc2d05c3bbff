/** Scrubbing of text that comes in pieces: the output of a child process or of a library. */

import { scrub } from "./scrubber.ts";

/** Longest line that is kept, in UTF-16 code units, without its line feed. */
export const MAX_LINE_LENGTH = 64 * 1024;

/** What stands for a longer line. */
export const OVERLONG_LINE = "[line too long for the log]";

/** Takes text in pieces of any size and gives it back in whole, scrubbed lines. */
export class LineScrubber {
  #line = "";
  #isOverlong = false;

  /** Returns the lines that `chunk` completes, each with its line feed, scrubbed; empty if it completes none. */
  write(chunk: string): string {
    let lines = "";
    let start = 0;
    for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", start)) {
      this.#append(chunk.slice(start, end));
      lines += this.#takeLine();
      start = end + 1;
    }
    this.#append(chunk.slice(start));
    return lines;
  }

  /** Returns what is left when no more comes: a last line that had no line feed gets one. */
  end(): string {
    return this.#line === "" && !this.#isOverlong ? "" : this.#takeLine();
  }

  #append(text: string): void {
    if (this.#line.length + text.length > MAX_LINE_LENGTH) this.#isOverlong = true;
    this.#line = this.#isOverlong ? "" : this.#line + text;
  }

  #takeLine(): string {
    const line = this.#isOverlong ? OVERLONG_LINE : scrub(this.#line);
    this.#line = "";
    this.#isOverlong = false;
    return `${line}\n`;
  }
}
