/** A machine on which one broker after another counts, in no time. */

import { DailyCounters } from "../../../src/metrics/daily/daily-counters.ts";
import { DailyLog, type DailyLogParts } from "../../../src/metrics/daily/daily-log.ts";
import { decodeDailyState } from "../../../src/metrics/daily/daily-state.ts";
import { FakeClock } from "../../kit/fake-clock.ts";
import { ProcessDisk, SimulatedDisk } from "./simulated-disk.ts";
import { readSnowflakeStats, type SnowflakeStats } from "./snowflake-stats.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** When a machine is switched on. */
export const START = Date.parse("2026-08-01T12:00:00Z");

/** How far time goes on before what has begun is done. */
const STEP = 30 * SECOND;

/** Lets all that is written at once be written. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
}

/** A machine with a disk and a wall clock, on which one process after another runs. */
export class Machine {
  readonly disk = new SimulatedDisk();
  wallTime = START;
  readonly troubles: string[] = [];

  /** A new process, that may be killed after so many steps of writing. */
  boot(fuel = Infinity, parts: Partial<DailyLogParts> = {}): Process {
    return new Process(this, fuel, parts);
  }

  get reports(): SnowflakeStats[] {
    return readSnowflakeStats(this.disk.log);
  }

  /** What the state on the disk has counted. */
  get saved() {
    return decodeDailyState(this.disk.state ?? "");
  }
}

export class Process {
  readonly counters = new DailyCounters();
  readonly clock = new FakeClock();
  readonly disk: ProcessDisk;
  readonly log: DailyLog;
  readonly #machine: Machine;

  constructor(machine: Machine, fuel: number, parts: Partial<DailyLogParts>) {
    this.#machine = machine;
    this.disk = new ProcessDisk(machine.disk, fuel);
    this.log = new DailyLog({
      counters: this.counters,
      reports: this.disk.reports,
      state: this.disk.state,
      clock: this.clock,
      wallClock: { now: () => new Date(machine.wallTime) },
      onTrouble: (message) => machine.troubles.push(message),
      ...parts,
    });
  }

  /** Time goes by on both clocks, so slowly that everything is written. */
  async live(ms: number): Promise<void> {
    for (let rest = ms; rest > 0; rest -= STEP) {
      const step = Math.min(rest, STEP);
      this.#machine.wallTime += step;
      this.clock.advance(step);
      await settle();
    }
  }

  idlePolls(count: number): void {
    for (let i = 0; i < count; i++) this.counters.pollIdle();
  }
}

/** A process that is up, on a machine that may have had others. */
export async function started(machine = new Machine()): Promise<[Machine, Process]> {
  const process = machine.boot();
  await process.log.start();
  return [machine, process];
}
