/** What the daily log keeps, in memory, on a disk that can be full, slow, or die with the process. */

import type { ReportSink, StateStore } from "../../../src/metrics/daily/daily-log.ts";

export class SimulatedDisk {
  log = "";
  state: string | undefined;
  aside: string | undefined;
  /** Each state that was written, in order. */
  readonly states: string[] = [];
  reportsFail = false;
  stateFails = false;
  /** Writing waits for this. */
  gate: Promise<void> = Promise.resolve();
  /** Writes that are going on, and the most that ever were. */
  writing = 0;
  mostWriting = 0;
}

/** What a process waits for that was killed. */
const NEVER = new Promise<never>(() => {});

/** The disk as one process has it. */
export class ProcessDisk {
  readonly #disk: SimulatedDisk;
  /** Steps until the process is killed. */
  #fuel: number;
  readonly reports: ReportSink;
  readonly state: StateStore;

  constructor(disk: SimulatedDisk, fuel = Infinity) {
    this.#disk = disk;
    this.#fuel = fuel;
    this.reports = { append: (text) => this.#write(() => this.#append(text)) };
    this.state = {
      read: () => Promise.resolve(disk.state),
      write: (text) => this.#write(() => this.#replaceState(text)),
      setAside: () => {
        disk.aside = disk.state;
        disk.state = undefined;
        return Promise.resolve("aside");
      },
    };
  }

  get killed(): boolean {
    return this.#fuel <= 0;
  }

  /** The process is dead at this point or goes on. */
  async #step(): Promise<void> {
    if (this.#fuel > 0) this.#fuel--;
    if (this.killed) await NEVER;
  }

  async #write(write: () => Promise<void>): Promise<void> {
    const disk = this.#disk;
    disk.writing++;
    disk.mostWriting = Math.max(disk.mostWriting, disk.writing);
    try {
      await disk.gate;
      await this.#step();
      await write();
      await this.#step();
    } finally {
      disk.writing--;
    }
  }

  async #append(text: string): Promise<void> {
    const disk = this.#disk;
    if (disk.reportsFail) throw new Error("no room for a report");
    let length = Math.min(text.length, disk.log.length);
    while (!disk.log.endsWith(text.slice(0, length))) length--;
    const sound = disk.log.slice(0, disk.log.length - length);
    if (length < text.length) {
      disk.log = sound + text.slice(0, text.length / 2);
      await this.#step();
    }
    disk.log = sound + text;
  }

  #replaceState(text: string): Promise<void> {
    if (this.#disk.stateFails) throw new Error("no room for the state");
    this.#disk.state = text;
    this.#disk.states.push(text);
    return Promise.resolve();
  }
}
