import { describe, expect, test } from "bun:test";

import type {
  FieldResult,
  IdleResult,
  MatchingResult,
  MixedResult,
} from "../../bench/load-result.ts";
import { countErrors, formatReport, reportObject } from "../../bench/report.ts";

function matching(cpuPerMatch: number, errors: Record<string, number> = {}): MatchingResult {
  return {
    kind: "matching",
    seconds: 10,
    matches: 50_000,
    matchesPerSecond: 5000,
    cpuPerMatch,
    firstCpuPerMatch: cpuPerMatch / 4,
    latencyP50: 1.5,
    latencyP99: 4,
    latencyMax: 20,
    residentKb: 51_200,
    peakKb: 61_440,
    idlePolls: 0,
    generatorLoad: 0.5,
    errors,
  };
}

const idle: IdleResult = {
  kind: "idle",
  waiting: 1000,
  baselineKb: 30_720,
  residentKb: 40_960,
  peakKb: 51_200,
  kbPerProxy: 10.24,
  settleSeconds: 24,
  settled: true,
  errors: {},
};

const field: FieldResult = {
  kind: "field",
  seconds: 200,
  polls: 5000,
  cpuPerPoll: 412,
  handshakes: 12,
  residentKb: 51_200,
  peakKb: 61_440,
  generatorLoad: 0.05,
  errors: {},
};

const clients = {
  matches: 8000,
  matchesPerSecond: 800,
  latencyP50: 2,
  latencyP99: 5,
  latencyMax: 30,
  errors: 0,
};

const mixed: MixedResult = {
  kind: "mixed",
  seconds: 10,
  matches: 10_000,
  matchesPerSecond: 1000,
  cpuPerMatch: 120,
  residentKb: 51_200,
  peakKb: 61_440,
  idlePolls: 0,
  generatorLoad: 0.95,
  methods: {
    http: clients,
    ampcache: { ...clients, matchesPerSecond: 150, errors: 1 },
    sqs: { ...clients, matchesPerSecond: 50, latencyP50: 9 },
  },
  errors: { "/amp/client: not JSON": 1 },
};

/** The cells of the line that begins with a name. */
function cellsOf(report: string, name: string): string[] {
  const line = report.split("\n").find((text) => text.startsWith(`${name} `)) ?? "";
  return line.slice(name.length).trim().split(/\s+/);
}

describe("formatReport", () => {
  const ours = {
    name: "ours",
    label: "this broker",
    rounds: [90, 70, 80].map((cpu) => matching(cpu)),
  };
  const floor = {
    name: "floor",
    label: "a floor",
    rounds: [41, 40, 39].map((cpu) => matching(cpu)),
  };

  test("medians, raw rounds, and ratios to the first case", () => {
    const report = formatReport([ours, floor], "a machine");
    expect(report).toStartWith("a machine\n");
    expect(cellsOf(report, "ours").slice(0, 3)).toEqual(["5000", "80.0", "20.0"]);
    expect(cellsOf(report, "floor").slice(0, 2)).toEqual(["5000", "40.0"]);
    expect(cellsOf(report, "  round 1")[1]).toBe("90.0");
    expect(cellsOf(report, "floor / ours").slice(0, 4)).toEqual(["1.00", "x", "0.50", "x"]);
    expect(report).toContain("\nours   this broker\n");
  });

  test("idle rounds have a table of their own", () => {
    const report = formatReport([{ name: "ours", label: "", rounds: [idle] }], "");
    expect(cellsOf(report, "ours")).toEqual(["10.24", "1000", "30.0", "40.0", "50.0", "24", "0"]);
    expect(report).not.toContain("matches/s");
  });

  test("field rounds have a table of their own", () => {
    const report = formatReport([{ name: "ours", label: "", rounds: [field] }], "");
    expect(cellsOf(report, "ours")).toEqual(["412", "5000", "12", "50.0", "60.0", "0.05", "0"]);
    expect(report).not.toContain("matches/s");
  });

  test("mixed rounds have a table of all together, and one of each way", () => {
    const slower = { ...mixed, cpuPerMatch: 140 };
    const rounds = [mixed, slower];
    const report = formatReport([{ name: "mixed", label: "", rounds }], "");
    expect(cellsOf(report, "mixed")).toEqual(["1000", "130.0", "50.0", "60.0", "0.95", "2"]);
    expect(cellsOf(report, "http")).toEqual(["800", "2.00", "5.00", "30.00", "0"]);
    expect(cellsOf(report, "ampcache")).toEqual(["150", "2.00", "5.00", "30.00", "2"]);
    expect(cellsOf(report, "sqs")).toEqual(["50", "9.00", "5.00", "30.00", "0"]);
    expect(report).toContain("mixed, round 2: 1 x /amp/client: not JSON\n");
    expect(report).toContain("mixed, round 1: matches/s is the generator's limit");
    expect(report).not.toContain(" / ");
  });

  test("what spoils a round is said", () => {
    const spoilt = [
      { ...matching(80, { "/client: not JSON": 3 }), generatorLoad: 0.95 },
      { ...idle, settled: false },
    ];
    const report = formatReport([{ name: "ours", label: "", rounds: spoilt }], "");
    expect(report).toContain("ours, round 1: 3 x /client: not JSON\n");
    expect(report).toContain("ours, round 1: matches/s is the generator's limit");
    expect(report).toContain("ours, round 2: memory was still changing");
    expect(formatReport([ours], "")).not.toContain("round 1:");
  });
});

test("errors of all rounds are counted", () => {
  const first = [matching(1, { a: 2, b: 1 }), matching(1)];
  const second = [{ ...idle, errors: { a: 4 } }];
  const cases = [first, second].map((rounds) => ({ name: "", label: "", rounds }));
  expect(countErrors(cases)).toBe(7);
});

test("the report for programs has medians and rounds", () => {
  const rounds = [matching(90), matching(70)];
  expect(reportObject([{ name: "ours", label: "this broker", rounds }], "a machine")).toMatchObject(
    {
      machine: "a machine",
      errors: 0,
      cases: [{ name: "ours", medians: { cpuPerMatch: 80, residentMb: 50 }, rounds }],
    },
  );
});

test("the report for programs has medians of polls", () => {
  const rounds = [field, { ...field, cpuPerPoll: 430 }];
  expect(reportObject([{ name: "ours", label: "", rounds }], "")).toMatchObject({
    cases: [{ medians: { cpuPerPoll: 421, handshakes: 12 } }],
  });
});

test("the report for programs has medians of each way", () => {
  const rounds = [mixed, { ...mixed, cpuPerMatch: 140 }];
  expect(reportObject([{ name: "mixed", label: "", rounds }], "")).toMatchObject({
    errors: 2,
    cases: [
      {
        medians: {
          cpuPerMatch: 130,
          methods: { http: { matchesPerSecond: 800 }, sqs: { latencyP50: 9, latencyP99: 5 } },
        },
      },
    ],
  });
});
