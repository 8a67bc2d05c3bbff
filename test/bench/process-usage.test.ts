import { describe, expect, test } from "bun:test";

import {
  parseMemoryStatus,
  readCpuTime,
  readMemory,
  selectTree,
} from "../../bench/process-usage.ts";

describe("parseMemoryStatus", () => {
  test("resident and peak", () => {
    const text = "Name:\tbun\nVmPeak:\t  900000 kB\nVmHWM:\t   64512 kB\nVmRSS:\t   61440 kB\n";
    expect(parseMemoryStatus(text)).toEqual({ residentKb: 61_440, peakKb: 64_512 });
  });

  test.each([
    ["a process that has ended", "Name:\tbun\nState:\tZ (zombie)\n"],
    ["a name that looks like memory", "Name:\tVmRSS: 5 kB\n"],
    ["nothing", ""],
  ])("%s", (_, text) => {
    expect(parseMemoryStatus(text)).toBeUndefined();
  });
});

describe("selectTree", () => {
  const stat = (pid: number, parent: number) => ({
    pid,
    parent,
    state: "S",
    ticks: 0,
    ownTicks: 0,
  });

  test("children and their children, whatever the order", () => {
    const all = [stat(9, 7), stat(1, 0), stat(7, 5), stat(5, 1), stat(8, 5), stat(6, 1)];
    const pids = selectTree(all, 5).map(({ pid }) => pid);
    expect(new Set(pids)).toEqual(new Set([5, 7, 8, 9]));
    expect(pids).toHaveLength(4);
  });

  test("nothing if the root is gone", () => {
    expect(selectTree([stat(6, 5), stat(1, 0)], 5)).toEqual([]);
  });
});

describe("this machine's /proc", () => {
  test("CPU time of a child counts when it has ended", async () => {
    const spin = "while (process.cpuUsage().user + process.cpuUsage().system < 150_000);";
    const before = readCpuTime(process.pid);
    await Bun.spawn([process.execPath, "-e", spin], { stdio: ["ignore", "ignore", "inherit"] })
      .exited;
    const after = readCpuTime(process.pid);
    expect(after.tree - before.tree).toBeGreaterThan(100_000);
    expect(after.first - before.first).toBeLessThan(after.tree - before.tree - 50_000);
  });

  test("memory, at most its peak", () => {
    const { residentKb, peakKb } = readMemory(process.pid);
    expect(residentKb).toBeGreaterThan(1000);
    expect(peakKb).toBeGreaterThanOrEqual(residentKb);
  });

  test("a process that is gone", async () => {
    const child = Bun.spawn(["true"]);
    await child.exited;
    expect(() => readCpuTime(child.pid)).toThrow("is gone");
  });
});
