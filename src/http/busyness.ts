/** Whether peers keep us waiting, or we them. */

import { readFileSync } from "node:fs";

import { TICK } from "./time-limits.ts";

/** What the system knows of this process, in ms since its start. */
export interface ProcessorTimes {
  /** It ran. */
  readonly ran: number;
  /** It could have run, but others did. */
  readonly waited: number;
}

export function readProcessorTimes(): ProcessorTimes {
  const { user, system } = process.cpuUsage();
  return { ran: (user + system) / 1000, waited: readWaited() };
}

/** Linux has three numbers for the main thread: ns that it ran, ns that it waited for a processor, how often it ran. */
function readWaited(): number {
  let text = "";
  try {
    text = readFileSync("/proc/self/schedstat", "latin1");
  } catch {
    // Another system, or one that doesn't count this: then only what we ran is known.
  }
  return Number(text.split(" ")[1] ?? 0) / 1e6;
}

/** We are busy if we ran or waited for a processor for this share of the time. */
const BUSY_SHARE = 0.5;

/** We are also busy if we come to look only after so many ms, though it should have been `TICK`. */
const LATE = 1.1 * TICK;

export class Busyness {
  #since: number;
  #before: ProcessorTimes;

  /** `now`: ms of any clock. */
  constructor(now: number, times: ProcessorTimes) {
    this.#since = now;
    this.#before = times;
  }

  /** Whether we were busy since this was asked last. */
  look(now: number, times: ProcessorTimes): boolean {
    const elapsed = now - this.#since;
    const used = times.ran - this.#before.ran + (times.waited - this.#before.waited);
    this.#since = now;
    this.#before = times;
    return used > elapsed * BUSY_SHARE || elapsed > LATE;
  }
}
