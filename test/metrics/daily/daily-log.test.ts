import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { DailyCounters } from "../../../src/metrics/daily/daily-counters.ts";
import { countEvent, type DailyEvent, dailyEvent, expectedStats } from "./daily-events.ts";
import { DAY, HOUR, Machine, MINUTE, SECOND, settle, START, started } from "./simulated-machine.ts";

describe("a day", () => {
  test("is reported when 86,400 s have passed, and the next begins with nothing", async () => {
    const [machine, process] = await started();
    process.idlePolls(9);
    process.counters.proxySeen(1, () => "DE", "open", "badge");
    await process.live(DAY - SECOND);
    expect(machine.disk.log).toBe("");
    await process.live(SECOND);
    process.counters.proxySeen(1, () => "DE", "open", "badge");
    await process.live(DAY);
    expect(machine.reports).toMatchObject([
      { endedAt: new Date(START + DAY), length: 86_400, idle: 16, ipsTotal: 1, ips: { DE: 1 } },
      { endedAt: new Date(START + 2 * DAY), length: 86_400, idle: 0, ipsTotal: 1 },
    ]);
    expect(machine.troubles).toEqual([]);
  });

  test("is read field by field as it went", async () => {
    const events = fc.sample(dailyEvent, { numRuns: 2000, seed: 7 });
    const [machine, process] = await started();
    for (const event of events) {
      countEvent(process.counters, event);
      await process.live(40 * SECOND);
    }
    await process.live(DAY - events.length * 40 * SECOND);
    expect<object[]>(machine.reports).toEqual([
      { endedAt: new Date(START + DAY), length: 86_400, ...expectedStats(events) },
    ]);
  });

  test("is as long, and counted once, however the wall clock is set", async () => {
    const step = fc.record({
      events: fc.array(dailyEvent, { maxLength: 3 }),
      wait: fc.integer({ min: 1, max: 9 }).map((hours) => hours * HOUR),
      jump: fc.integer({ min: -40, max: 40 }).map((hours) => hours * HOUR + 1),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 14 }), async (steps) => {
        const [machine, process] = await started();
        const windows: DailyEvent[][] = [[]];
        let elapsed = 0;
        for (const { events, wait, jump } of steps) {
          for (const event of events) countEvent(process.counters, event);
          windows.at(-1)?.push(...events);
          machine.wallTime += jump;
          await process.live(wait);
          elapsed += wait;
          while (windows.length <= Math.floor(elapsed / DAY)) windows.push([]);
        }
        const { reports } = machine;
        expect<object[]>(reports).toEqual(
          windows.slice(0, -1).map((window, i) => ({
            endedAt: reports[i]?.endedAt,
            length: 86_400,
            ...expectedStats(window),
          })),
        );
      }),
      { numRuns: 10 },
    );
  });

  test("without a state is reported too", async () => {
    const machine = new Machine();
    const process = machine.boot(Infinity, { state: undefined });
    await process.log.start();
    process.idlePolls(1);
    await process.live(DAY);
    expect(machine.reports).toMatchObject([{ idle: 8 }]);
    await process.log.stop();
    expect(machine.disk.state).toBeUndefined();
  });

  test("with more addresses than there is room for tells how many polls are missing", async () => {
    const machine = new Machine();
    const counters = new DailyCounters(1);
    const process = machine.boot(Infinity, { counters });
    await process.log.start();
    for (let key = 0; key < 4; key++) counters.proxySeen(key, () => "DE", "open", "badge");
    await process.live(DAY);
    expect(machine.troubles).toEqual([
      "too many addresses in a day: 3 polls are missing in the daily report",
    ]);
    await process.live(DAY);
    expect(machine.troubles).toHaveLength(1);
  });
});

describe("checkpoints", () => {
  test("are written at least once a minute, with what was counted", async () => {
    const [machine, process] = await started();
    for (let minute = 1; minute <= 10; minute++) {
      process.idlePolls(1);
      await process.live(MINUTE);
      expect(machine.saved?.counts.polls.idle).toBe(minute);
      expect(machine.wallTime - (machine.saved?.savedAt.getTime() ?? 0)).toBeLessThan(MINUTE);
    }
  });

  test("have no address in them, nor what stands for one", async () => {
    const [machine, process] = await started();
    const key = 0x12345678_9abcd;
    process.counters.proxySeen(key, () => "DE", "open", "badge");
    await process.log.stop();
    expect(machine.disk.state).toContain('"DE"');
    expect(machine.disk.state).not.toContain(String(key));
    expect(machine.disk.state).not.toContain(key.toString(16));
  });

  test("never overlap, and a slow disk stops neither windows nor counting", async () => {
    const [machine, process] = await started();
    const gate = Promise.withResolvers<void>();
    machine.disk.gate = gate.promise;
    process.idlePolls(1);
    await process.live(DAY);
    process.idlePolls(9);
    await process.live(DAY + 10 * MINUTE);
    expect(machine.disk.writing).toBe(1);
    expect(machine.disk.log).toBe("");
    machine.disk.gate = Promise.resolve();
    gate.resolve();
    await process.live(MINUTE);
    expect(machine.reports).toMatchObject([
      { endedAt: new Date(START + DAY), idle: 8 },
      { endedAt: new Date(START + 2 * DAY), idle: 16 },
    ]);
    expect(machine.disk.mostWriting).toBe(1);
    expect(machine.disk.writing).toBe(0);
  });

  test("the last one is waited for, after the one that is going on", async () => {
    const [machine, process] = await started();
    const gate = Promise.withResolvers<void>();
    machine.disk.gate = gate.promise;
    await process.live(MINUTE);
    process.idlePolls(5);
    let stopped = false;
    const stop = process.log.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    gate.resolve();
    await stop;
    expect(machine.saved?.counts.polls.idle).toBe(5);
    expect(machine.disk.mostWriting).toBe(1);
    expect(process.clock.timers).toBe(0);
  });

  test("that fail are told of once in an outage, and counted", async () => {
    const [machine, process] = await started();
    machine.disk.stateFails = true;
    await process.live(5 * MINUTE);
    const message =
      "the daily counters can't be saved, and would not survive a restart: no room for the state";
    expect(machine.troubles).toEqual([message]);
    expect(process.log.failedCheckpoints).toBeGreaterThanOrEqual(5);
    expect(process.log.failedReports).toBe(0);
    machine.disk.stateFails = false;
    await process.live(MINUTE);
    machine.disk.stateFails = true;
    await process.live(MINUTE);
    expect(machine.troubles).toEqual([message, message]);
    // Reports do without.
    await process.live(DAY);
    expect(machine.reports).toHaveLength(1);
  });
});

describe("a full disk", () => {
  const MESSAGE =
    "the daily report can't be written; it is kept and tried again: no room for a report";

  test("is told of once, and its reports are written as soon as there is room", async () => {
    const [machine, process] = await started();
    machine.disk.reportsFail = true;
    process.idlePolls(1);
    await process.live(DAY);
    expect(machine.troubles).toEqual([MESSAGE]);
    const failures = process.log.failedReports;
    await process.live(10 * MINUTE);
    expect(process.log.failedReports).toBeGreaterThanOrEqual(failures + 10);
    process.idlePolls(9);
    await process.live(DAY);
    expect(machine.troubles).toEqual([MESSAGE]);
    machine.disk.reportsFail = false;
    await process.live(MINUTE);
    expect(machine.reports).toMatchObject([
      { endedAt: new Date(START + DAY), idle: 8 },
      { endedAt: new Date(START + 2 * DAY), idle: 16 },
    ]);
    machine.disk.reportsFail = true;
    await process.live(DAY);
    expect(machine.troubles).toEqual([MESSAGE, MESSAGE]);
  });

  test("over a restart keeps its reports", async () => {
    const [machine, first] = await started();
    machine.disk.reportsFail = true;
    first.idlePolls(1);
    await first.live(DAY + HOUR);
    await first.log.stop();
    machine.disk.reportsFail = false;
    await started(machine);
    expect(machine.reports).toMatchObject([{ endedAt: new Date(START + DAY), idle: 8 }]);
    expect(machine.saved?.reports).toEqual([]);
  });

  test("for more than a month costs the oldest reports, which is told", async () => {
    const machine = new Machine();
    const process = machine.boot();
    await process.log.start();
    machine.disk.reportsFail = true;
    for (let day = 0; day < 33; day++) {
      process.idlePolls(day);
      machine.wallTime += DAY;
      process.clock.advance(DAY);
      await settle();
    }
    const lost = "a daily report is lost: too many wait for being written";
    expect(machine.troubles).toEqual([MESSAGE, lost, lost]);
    machine.disk.reportsFail = false;
    await process.live(MINUTE);
    expect(machine.reports.map((report) => report.endedAt)).toEqual(
      Array.from({ length: 31 }, (_, i) => new Date(START + (i + 3) * DAY)),
    );
    expect(machine.reports.at(0)?.idle).toBe(8);
    expect(machine.reports.at(-1)?.idle).toBe(32);
  });
});
