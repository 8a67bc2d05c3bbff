/** Has a report written every day, and loses none to restarts, full disks and clocks that are set. */

import type { Clock } from "../../broker/clock.ts";
import type { DailyCounters } from "./daily-counters.ts";
import { WINDOW } from "./daily-report.ts";
import { decodeDailyState, encodeDailyState, MAX_WAITING_REPORTS } from "./daily-state.ts";
import { Outage, reason } from "./outage.ts";

/** Milliseconds between two checkpoints: half of what may be lost in a crash, as writing takes its time. */
export const CHECKPOINT_INTERVAL = 30_000;

/** Where reports go. */
export interface ReportSink {
  /**
   * Makes the log end with this text: appends it, after taking off a torn beginning of it that is there already; does
   * nothing if the whole of it is there. Rejects if that failed. One call at a time.
   */
  append(text: string): Promise<void>;
}

/** Where the state is between two runs. Every method rejects if it fails. One call at a time. */
export interface StateStore {
  /** What was written last; undefined: nothing was ever. */
  read(): Promise<string | undefined>;
  /** Replaces what there is, wholly or not at all, and for good. */
  write(text: string): Promise<void>;
  /** Gets a state that can't be used out of the way, in place of one set aside before; returns where to. */
  setAside(time: Date): Promise<string>;
}

export interface DailyLogParts {
  readonly counters: DailyCounters;
  readonly reports: ReportSink;
  /** Undefined: counters don't survive a restart. */
  readonly state: StateStore | undefined;
  /** Measures windows and checkpoints. */
  readonly clock: Clock;
  /** The time of day. It may jump: while the process runs, it is only printed. */
  readonly wallClock: { now(): Date };
  /** Told what an operator should know, in one line: of an outage once. Must not throw. */
  readonly onTrouble: (message: string) => void;
}

/**
 * Owns the windows of the counters. A window lasts 86,400 s of the monotonic clock, to which the time between the last
 * checkpoint and the next start is added by the wall clock. If it has passed by then, its report is written at start,
 * with that time.
 *
 * A report is first in the state, then in the log, then no longer in the state. So a process may be killed at any
 * point: every report is in the log once, and of the counts no more than the last minute is missing. But as long as
 * the state can't be written, reports go to the log without it.
 */
export class DailyLog {
  readonly #parts: DailyLogParts;
  /** When the window began, by the monotonic clock. */
  #windowStart = 0;
  /** Reports that are not in the log yet, oldest first. */
  #waiting: readonly string[] = [];
  #started: Promise<void> | undefined;
  #cancelTick: () => void = () => {};
  /** The round of writing that is going on. */
  #saving: Promise<void> | undefined;
  readonly #reportOutage: Outage;
  readonly #stateOutage: Outage;

  constructor(parts: DailyLogParts) {
    this.#parts = parts;
    this.#reportOutage = new Outage(
      "the daily report can't be written; it is kept and tried again",
      parts.onTrouble,
    );
    this.#stateOutage = new Outage(
      "the daily counters can't be saved, and would not survive a restart",
      parts.onTrouble,
    );
  }

  /** How often writing a report has failed. */
  get failedReports(): number {
    return this.#reportOutage.failures;
  }

  /** How often saving the state has failed. */
  get failedCheckpoints(): number {
    return this.#stateOutage.failures;
  }

  /** Goes on with the window of the last run, or begins one. Before it has, nothing may be counted. Never rejects. */
  start(): Promise<void> {
    this.#started ??= this.#begin();
    return this.#started;
  }

  /** Saves the counters for the last time. Nothing is written after the promise is fulfilled. Never rejects. */
  async stop(): Promise<void> {
    if (this.#started === undefined) return;
    await this.#started;
    this.#cancelTick();
    await this.#saving;
    await this.#save();
  }

  async #begin(): Promise<void> {
    this.#windowStart = this.#parts.clock.now();
    await this.#restore();
    this.#tick();
    await this.#saving;
  }

  async #restore(): Promise<void> {
    const { state: store, counters, wallClock } = this.#parts;
    if (store === undefined) return;
    let text: string | undefined;
    try {
      text = await store.read();
      if (text === undefined) return;
    } catch (error) {
      await this.#setAside(store, reason(error));
      return;
    }
    const state = decodeDailyState(text);
    if (state === undefined) {
      await this.#setAside(store, "it is torn or foreign");
      return;
    }
    const savedAt = state.savedAt.getTime();
    const pause = Math.max(0, wallClock.now().getTime() - savedAt);
    this.#windowStart -= savedAt - state.startedAt.getTime() + pause;
    this.#waiting = state.reports;
    counters.restore(state.counts);
  }

  async #setAside(store: StateStore, fault: string): Promise<void> {
    const { wallClock, onTrouble } = this.#parts;
    try {
      const aside = await store.setAside(wallClock.now());
      onTrouble(
        `daily counters begin anew: the state can't be used (${fault}); it is now ${aside}`,
      );
    } catch (error) {
      onTrouble(
        `daily counters begin anew: the state can't be used (${fault}), nor be set aside: ${reason(error)}`,
      );
    }
  }

  /** Ends the window if it is over, begins a round of writing unless one is going on, and comes again in time. */
  #tick(): void {
    const { clock } = this.#parts;
    if (clock.now() >= this.#windowStart + WINDOW) this.#endWindow();
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
    const next = Math.min(clock.now() + CHECKPOINT_INTERVAL, this.#windowStart + WINDOW);
    this.#cancelTick = clock.callAt(next, () => this.#tick());
  }

  #endWindow(): void {
    const { counters, clock, wallClock, onTrouble } = this.#parts;
    if (counters.uncounted > 0) {
      onTrouble(
        `too many addresses in a day: ${counters.uncounted} polls are missing in the daily report`,
      );
    }
    this.#waiting = [...this.#waiting, counters.report(wallClock.now())];
    counters.reset();
    this.#windowStart = clock.now();
    this.#boundWaiting();
  }

  /** A round of writing. Never rejects. */
  async #save(): Promise<void> {
    await this.#saveState();
    if (this.#waiting.length > 0 && (await this.#writeReports())) await this.#saveState();
  }

  async #saveState(): Promise<void> {
    const { state, counters, clock, wallClock } = this.#parts;
    if (state === undefined) return;
    const savedAt = wallClock.now();
    const startedAt = new Date(savedAt.getTime() - (clock.now() - this.#windowStart));
    const reports = this.#waiting;
    const text = encodeDailyState({ startedAt, savedAt, reports, counts: counters.snapshot() });
    await this.#stateOutage.during(() => state.write(text));
  }

  /** Whether all reports are in the log now. */
  async #writeReports(): Promise<boolean> {
    // A window may end meanwhile.
    const reports = this.#waiting;
    this.#waiting = [];
    const written = await this.#reportOutage.during(() =>
      this.#parts.reports.append(reports.join("")),
    );
    if (!written) {
      this.#waiting = [...reports, ...this.#waiting];
      this.#boundWaiting();
    }
    return written;
  }

  #boundWaiting(): void {
    const excess = this.#waiting.length - MAX_WAITING_REPORTS;
    if (excess <= 0) return;
    this.#waiting = this.#waiting.slice(excess);
    this.#parts.onTrouble("a daily report is lost: too many wait for being written");
  }
}
