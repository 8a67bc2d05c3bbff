import { describe, expect, test } from "bun:test";

import {
  argumentsOf,
  directoryOf,
  parseProcessStat,
  programOf,
  readProcessStat,
  socketsOf,
} from "../../src/system/processes.ts";

/** Fields 4 to 17 and one more; 1, 20, 300 and 4000 are user, system, and both of ended children. */
const REST = "77 501 501 34816 501 4194304 9000 8000 7 6 1 20 300 4000 20 0";

describe("parseProcessStat", () => {
  test.each([
    ["a plain name", "bun"],
    ["a name with spaces", "bun worker 2"],
    ["a name with brackets", "a) S 1 (b"],
    ["a name that ends in a bracket", "x)"],
    ["no name", ""],
  ])("%s", (_, name) => {
    const stat = parseProcessStat(`501 (${name}) S ${REST}\n`);
    expect(stat).toEqual({ pid: 501, state: "S", parent: 77, ticks: 4321, ownTicks: 21 });
  });

  test.each([
    ["nothing", ""],
    ["no brackets", `501 bun S ${REST}`],
    ["cut off", "501 (bun) S 77 501 501"],
    ["no process id", `x (bun) S ${REST}`],
    ["time that is no number", `501 (bun) S ${REST.replace("300", "x")}`],
  ])("%s", (_, text) => {
    expect(parseProcessStat(text)).toBeUndefined();
  });
});

test("a process shows its program, arguments, directory, parent and sockets", async () => {
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  expect(listener.port).toBeGreaterThan(0);
  await using cat = Bun.spawn(["cat", "-", ""], { cwd: "/", stdin: "pipe" });
  // Until it has become that program, it is a copy of this one.
  while (programOf(cat.pid) !== "cat") await Bun.sleep(1);
  expect(programOf(cat.pid)).toBe("cat");
  expect(argumentsOf(cat.pid)).toEqual(["cat", "-", ""]);
  expect(directoryOf(cat.pid)).toBe("/");
  expect(readProcessStat(cat.pid)?.parent).toBe(process.pid);
  expect(socketsOf(process.pid)).not.toEqual([]);
});

test("one that has ended shows nothing", async () => {
  const ended = Bun.spawn(["true"]);
  await ended.exited;
  expect(programOf(ended.pid)).toBe("");
  expect(argumentsOf(ended.pid)).toEqual([]);
  expect(directoryOf(ended.pid)).toBeUndefined();
  expect(readProcessStat(ended.pid)).toBeUndefined();
  expect(socketsOf(ended.pid)).toEqual([]);
});
