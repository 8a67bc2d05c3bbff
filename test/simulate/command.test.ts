/** The `simulate` command: what it prints and writes, and what it refuses. */

import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { formatUsage } from "../../src/cli/help.ts";
import { runSimulate } from "../../src/simulate/command.ts";
import { POLICIES } from "../../src/simulate/policies.ts";
import { SCENARIOS } from "../../src/simulate/scenarios.ts";
import { runBroker } from "../kit/broker-process.ts";

class Screen {
  text = "";
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

const QUICK = ["--scenario=private", "--seeds=2", "--policy=reference,wait-25s"];

describe("what it prints", () => {
  test("a row for each policy, and the seeds", () => {
    const { stdout, stderr, exitCode } = runSimulate(QUICK, new Screen());
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^private: .* \(1:1, seeds 1 2\)$/);
    expect(lines[1]).toMatch(
      /^policy +matched +mean s +denied s +silent s +channel s +p50 s +p90 s +p99 s +denials +timeouts/,
    );
    expect(lines[2]).toMatch(/^reference +\d/);
    expect(lines[3]).toMatch(/^wait-25s +\d/);
  });

  test("progress only where somebody watches, and none of it stays", () => {
    const pipe = new Screen();
    runSimulate(QUICK, pipe);
    expect(pipe.text).toBe("");
    const terminal = new Screen(true);
    runSimulate(QUICK, terminal);
    expect(terminal.text).toContain("run 4 of 4: private, wait-25s, seed 2: 50 %");
    expect(terminal.text).toEndWith("\r\x1b[K");
  });

  test("one run with its seed replays that run", () => {
    const [, , , last] = runSimulate([...QUICK, "--seeds=1"], new Screen()).stdout.split("\n");
    const replayed = runSimulate(
      ["--scenario=private", "--policy=wait-25s", "--seed=1"],
      new Screen(),
    ).stdout.split("\n");
    expect(replayed[2]?.replaceAll(/ +/g, " ")).toBe(last?.replaceAll(/ +/g, " ") ?? "");
    expect(replayed[0]).toEndWith("(1:1, seed 1)");
  });

  test("small brokers in their own size, whatever scale is asked for", () => {
    const { stdout } = runSimulate([...QUICK, "--scale=500"], new Screen());
    expect(stdout).toBe(runSimulate(QUICK, new Screen()).stdout);
  });

  test("help with every scenario and policy", () => {
    const { stdout, exitCode } = runSimulate(["--help"], new Screen());
    expect(exitCode).toBe(0);
    for (const { name, meaning } of SCENARIOS)
      expect(stdout).toContain(`${name.padEnd(15)}${meaning}`);
    for (const name of POLICIES.keys()) expect(stdout).toContain(name);
    expect(formatUsage()).toContain("snowflake-broker simulate");
  });
});

test("what it writes: all figures as JSON, and a page that needs nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), "simulate-"));
  try {
    const [json, html] = [join(folder, "x.json"), join(folder, "x.html")];
    const result = runSimulate([...QUICK, `--json=${json}`, `--html=${html}`], new Screen());
    expect(result.exitCode).toBe(0);
    const [scenario] = JSON.parse(readFileSync(json, "utf8")).scenarios;
    expect(scenario).toMatchObject({ scenario: "private", seeds: [1, 2], scale: 1 });
    expect(scenario.policies.map((it: { policy: string }) => it.policy)).toEqual([
      "reference",
      "wait-25s",
    ]);
    expect(scenario.policies[0].runs).toHaveLength(2);
    const page = readFileSync(html, "utf8");
    expect(page).toContain("<svg");
    expect(page).not.toMatch(/<script|https?:|NaN|undefined|Infinity/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("what it refuses", () => {
  test.each([
    [
      ["--scenario=quite"],
      2,
      'invalid value "quite" for --scenario: it must be all, or one of quiet,',
    ],
    [["--policy=reference,nope"], 2, "it must be names with commas between them, of reference,"],
    [["--policy="], 2, 'invalid value "" for --policy: it must be names'],
    [["--seeds=0"], 2, 'invalid value "0" for --seeds: it must be from 1 to 1000'],
    [["--seed=-1"], 2, 'invalid value "-1" for --seed: it must be from 0 to 4294967295'],
    [["--seed=1", "--seeds=2"], 2, "--seed excludes --seeds: it replays one run"],
    [["--scale=0"], 2, 'invalid value "0" for --scale: it must be from 1 to 10000'],
    [["--html="], 2, "--json and --html need the name of a file"],
    [["--json=x", "--html=x"], 2, "--json and --html name the same file"],
    [["--sed=1"], 2, 'unknown flag "--sed": did you mean --seed?'],
    [["worst-day"], 2, 'simulate takes flags only, and "worst-day" is none'],
    [["--json=/nope/x"], 1, "--json /nope/x: there is no such directory: make it"],
    [[`--html=${tmpdir()}`], 1, `--html ${tmpdir()}: it is a directory: name a file in it`],
  ])("%p", (args, exitCode, words) => {
    const result = runSimulate(args, new Screen());
    expect(result.stderr).toStartWith("snowflake-broker simulate: ");
    expect(result.stderr).toContain(words);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stdout).toBe("");
  });

  test("a full disk costs the file, and not the table", () => {
    const { stdout, stderr, exitCode } = runSimulate([...QUICK, "--json=/dev/full"], new Screen());
    expect(stderr).toBe("snowflake-broker simulate: --json /dev/full: the disk is full\n");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("private: ");
  });
});

test("the program runs it", async () => {
  const run = await runBroker("simulate", "--scenario=private", "--policy=reference", "--seed=2");
  expect(run.exitCode).toBe(0);
  expect(run.stderr).toBe("");
  expect(run.stdout).toContain("private: ");
  expect((await runBroker("simulat")).stderr).toContain("did you mean simulate?");
}, 20_000);
