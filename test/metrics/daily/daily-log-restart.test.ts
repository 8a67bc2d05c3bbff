import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";

import { openDailyFiles } from "../../../src/metrics/daily/daily-files.ts";
import {
  DAY,
  HOUR,
  Machine,
  MINUTE,
  type Process,
  SECOND,
  settle,
  START,
  started,
} from "./simulated-machine.ts";
import { readSnowflakeStats } from "./snowflake-stats.ts";

describe("a restart", () => {
  test("goes on with counters and window", async () => {
    const [machine, first] = await started();
    first.idlePolls(10);
    first.counters.proxySeen(1, () => "DE", "open", "badge");
    await first.live(10 * HOUR);
    await first.log.stop();
    machine.wallTime += 2 * HOUR;
    const [, second] = await started(machine);
    second.idlePolls(10);
    second.counters.proxySeen(1, () => "DE", "open", "badge");
    await second.live(12 * HOUR - SECOND);
    expect(machine.disk.log).toBe("");
    await second.live(SECOND);
    // The address is known as little as any other.
    expect(machine.reports).toMatchObject([
      { endedAt: new Date(START + DAY), idle: 24, ipsTotal: 2, ips: { DE: 2 } },
    ]);
    await second.live(DAY);
    expect(machine.reports).toHaveLength(2);
  });

  test.each([0, SECOND, 3 * DAY, 400 * DAY])(
    "%d ms after the end of the window writes its report, and begins the next",
    async (late) => {
      const [machine, first] = await started();
      first.idlePolls(1);
      await first.live(HOUR);
      await first.log.stop();
      machine.wallTime = START + DAY + late;
      const [, second] = await started(machine);
      expect(machine.reports).toMatchObject([{ endedAt: new Date(START + DAY + late), idle: 8 }]);
      second.idlePolls(9);
      await second.live(DAY - SECOND);
      expect(machine.reports).toHaveLength(1);
      await second.live(SECOND);
      expect(machine.reports).toMatchObject([
        { idle: 8 },
        { endedAt: new Date(START + 2 * DAY + late), idle: 16 },
      ]);
    },
  );

  test("with the wall clock before the last checkpoint takes no time", async () => {
    const [machine, first] = await started();
    first.idlePolls(1);
    await first.live(10 * HOUR);
    await first.log.stop();
    machine.wallTime = Date.parse("1970-01-01T00:00:00Z");
    const [, second] = await started(machine);
    await second.live(14 * HOUR - SECOND);
    expect(machine.disk.log).toBe("");
    await second.live(SECOND);
    expect(machine.reports).toMatchObject([{ endedAt: new Date(14 * HOUR), idle: 8 }]);
  });

  test("before the start is done loses nothing", async () => {
    const [machine, first] = await started();
    first.idlePolls(3);
    await first.log.stop();
    const second = machine.boot();
    await second.log.stop();
    expect(machine.saved?.counts.polls.idle).toBe(3);
    void second.log.start();
    await second.log.stop();
    expect(machine.saved?.counts.polls.idle).toBe(3);
    expect(second.clock.timers).toBe(0);
  });

  test.each(["", "{", '{"version":1}', "null", "snowflake-stats-end"])(
    "with the foreign state %j begins anew and says so",
    async (foreign) => {
      const machine = new Machine();
      machine.disk.state = foreign;
      const [, process] = await started(machine);
      expect(machine.troubles).toEqual([
        "daily counters begin anew: the state can't be used (it is torn or foreign); it is now aside",
      ]);
      expect(machine.disk.aside).toBe(foreign);
      expect(machine.saved?.startedAt).toEqual(new Date(START));
      await process.live(DAY);
      expect(machine.reports).toHaveLength(1);
    },
  );

  test("with a state that can neither be read nor set aside begins anew and says so", async () => {
    const machine = new Machine();
    const process = machine.boot(Infinity, {
      state: {
        read: () => Promise.reject(new Error("unreadable")),
        setAside: () => Promise.reject(new Error("immovable")),
        write: () => Promise.resolve(),
      },
    });
    await process.log.start();
    expect(machine.troubles).toEqual([
      "daily counters begin anew: the state can't be used (unreadable), nor be set aside: immovable",
    ]);
    await process.live(DAY);
    expect(machine.reports).toHaveLength(1);
  });
});

describe("a kill", () => {
  /** Addresses, each new: distinct counts are not rounded. */
  const POLL_EVERY = 30 * SECOND;

  test("at any point costs a minute at most, and no report is lost, torn or repeated", async () => {
    const life = fc.record({
      /** Steps of writing; two days have about 11,500. */
      fuel: fc.oneof(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 6000 }),
        // Around the end of the first window.
        fc.integer({ min: 5750, max: 5775 }),
      ),
      pause: fc.oneof(fc.nat(2 * HOUR), fc.nat(2 * DAY)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        const machine = new Machine();
        let polls = 0;
        for (const { fuel, pause } of lives) {
          const process = machine.boot(fuel);
          void process.log.start();
          await settle();
          while (!process.disk.killed) {
            process.counters.proxySeen(polls++, () => "DE", "open", "badge");
            machine.wallTime += POLL_EVERY;
            process.clock.advance(POLL_EVERY);
            await settle();
          }
          machine.wallTime += pause;
        }
        const last = machine.boot();
        await last.log.start();
        await last.log.stop();
        const ends = machine.reports.map((report) => report.endedAt.getTime());
        expect(ends).toEqual([...new Set(ends)].toSorted((a, b) => a - b));
        const reported = machine.reports.reduce((sum, report) => sum + report.ipsTotal, 0);
        const saved = machine.saved?.counts.proxiesByCountry.get("DE") ?? 0;
        const lost = polls - reported - saved;
        expect(lost).toBeGreaterThanOrEqual(0);
        expect(lost).toBeLessThanOrEqual((lives.length * MINUTE) / POLL_EVERY);
        expect(machine.saved?.reports).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

describe("on a real disk", () => {
  async function withFolder(use: (path: string, folder: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "daily-log-"));
    try {
      await use(join(folder, "metrics.log"), folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async function run(machine: Machine, path: string): Promise<Process> {
    const process = machine.boot(Infinity, await openDailyFiles(path));
    await process.log.start();
    return process;
  }

  test("a day over a restart", async () => {
    await withFolder(async (path, folder) => {
      const machine = new Machine();
      const first = await run(machine, path);
      first.idlePolls(9);
      await first.log.stop();
      machine.wallTime += 2 * DAY;
      const second = await run(machine, path);
      await second.log.stop();
      expect(readSnowflakeStats(await readFile(path, "utf8"))).toMatchObject([
        { endedAt: new Date(START + 2 * DAY), idle: 16 },
      ]);
      expect((await readdir(folder)).toSorted()).toEqual(["metrics.log", "metrics.log.state"]);
      expect(machine.troubles).toEqual([]);
    });
  });

  test("a state torn anywhere stops no start, and at most one is kept", async () => {
    await withFolder(async (path, folder) => {
      const machine = new Machine();
      const first = await run(machine, path);
      first.idlePolls(9);
      await first.log.stop();
      const whole = await readFile(`${path}.state`, "utf8");
      let torn = 0;
      for (let length = 0; length < whole.length - 1; length += 17) {
        await writeFile(`${path}.state`, whole.slice(0, length));
        machine.wallTime += SECOND;
        const process = await run(machine, path);
        await process.log.stop();
        torn++;
      }
      expect(machine.troubles).toHaveLength(torn);
      const aside = (await readdir(folder)).filter((name) => name.includes(".bad-"));
      expect(aside).toHaveLength(1);
      expect(machine.troubles.at(-1)).toEndWith(`it is now ${join(folder, aside.join())}`);
    });
  });
});
