import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRunDirectory } from "../../scripts/run-directory.ts";
import { mortal } from "../kit/mortal.ts";

const ROOT = join(import.meta.dir, "../..");

/** A selection of tests that makes directories and takes seconds, and one that takes none. */
const LONG = ["scripts/test.ts", "test/roles/split.test.ts"];
const SHORT = ["scripts/test.ts", "test/scripts/test-report.test.ts"];
const BENCH = ["bench/run.ts", "--seconds=30", "--against=uncounted"];

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "run-directory-"));
});
afterEach(() => rmSync(parent, { recursive: true }));

function start(program: readonly string[]): Bun.Subprocess {
  return Bun.spawn(mortal([process.execPath, ...program]), {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, TMPDIR: parent, TARGET: undefined },
  });
}

/** Waits until a run has made a directory, and in it something whose name begins with `prefix`. */
async function untilMade(run: Bun.Subprocess, prefix: string): Promise<void> {
  for (;;) {
    const made = readdirSync(parent).flatMap((name) => readdirSync(join(parent, name)));
    if (made.some((name) => name.startsWith(prefix))) return;
    if (run.exitCode !== null) throw new Error(`never made ${prefix}`);
    await Bun.sleep(10);
  }
}

test.each([
  ["a run of tests", LONG, "snowflake-broker-"],
  ["a bench", BENCH, "counting-"],
])("%s that is killed leaves what the next run removes", async (_, program, made) => {
  const killed = start(program);
  await untilMade(killed, made);
  killed.kill("SIGKILL");
  await killed.exited;
  expect(readdirSync(parent)).toHaveLength(1);
  expect(await start(SHORT).exited).toBe(0);
  expect(readdirSync(parent)).toEqual([]);
});

test.each([
  ["a run of tests", LONG, "snowflake-broker-", 130],
  ["a bench", BENCH, "counting-", 1],
])("%s that is interrupted leaves nothing", async (_, program, made, exitCode) => {
  const interrupted = start(program);
  await untilMade(interrupted, made);
  interrupted.kill("SIGINT");
  expect(await interrupted.exited).toBe(exitCode);
  expect(readdirSync(parent)).toEqual([]);
});

test("the directory of a run that goes on stays, as does what has another name", () => {
  const others = [`snowflake-run-${process.pid}-aB3dE6`, "snowflake-run-x", "something"];
  for (const name of others) mkdirSync(join(parent, name));
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = parent;
  try {
    const directory = openRunDirectory();
    expect(tmpdir()).toBe(directory.path);
    directory[Symbol.dispose]();
    expect(tmpdir()).toBe(parent);
    expect(readdirSync(parent).toSorted()).toEqual(others.toSorted());
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
});
