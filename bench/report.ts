/** What the rounds of a benchmark come to: medians with the raw rounds beside them, and ratios to the first case. */

import type { IdleResult, LoadResult, MatchingResult } from "./load-result.ts";
import { median } from "./statistics.ts";

/** All rounds of one case. The first case of a report is the one that the others are compared with. */
export interface CaseReport {
  readonly name: string;
  /** What the figures are figures of. */
  readonly label: string;
  readonly rounds: readonly LoadResult[];
}

interface Column<Result> {
  /** The member's name in machine-readable reports. */
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  readonly value: (result: Result) => number;
}

const MATCHING_COLUMNS: readonly Column<MatchingResult>[] = [
  { key: "matchesPerSecond", title: "matches/s", digits: 0, value: (r) => r.matchesPerSecond },
  { key: "cpuPerMatch", title: "CPU µs/match", digits: 1, value: (r) => r.cpuPerMatch },
  { key: "latencyP50", title: "p50 ms", digits: 2, value: (r) => r.latencyP50 },
  { key: "latencyP99", title: "p99 ms", digits: 2, value: (r) => r.latencyP99 },
  { key: "latencyMax", title: "max ms", digits: 2, value: (r) => r.latencyMax },
  { key: "residentMb", title: "RSS MB", digits: 1, value: (r) => r.residentKb / 1024 },
  { key: "peakMb", title: "peak MB", digits: 1, value: (r) => r.peakKb / 1024 },
  { key: "generatorLoad", title: "generator", digits: 2, value: (r) => r.generatorLoad },
];

const IDLE_COLUMNS: readonly Column<IdleResult>[] = [
  { key: "kbPerProxy", title: "KB/proxy", digits: 2, value: (r) => r.kbPerProxy },
  { key: "waiting", title: "waiting", digits: 0, value: (r) => r.waiting },
  { key: "baselineMb", title: "before MB", digits: 1, value: (r) => r.baselineKb / 1024 },
  { key: "residentMb", title: "RSS MB", digits: 1, value: (r) => r.residentKb / 1024 },
  { key: "peakMb", title: "peak MB", digits: 1, value: (r) => r.peakKb / 1024 },
  { key: "settleSeconds", title: "settled s", digits: 0, value: (r) => r.settleSeconds },
];

/** From this on the generator is what limits matches/s. */
const BUSY_GENERATOR = 0.9;

/** How many errors all rounds had together. */
export function countErrors(cases: readonly CaseReport[]): number {
  return cases
    .flatMap(({ rounds }) => rounds)
    .flatMap(({ errors }) => Object.values(errors))
    .reduce((sum, count) => sum + count, 0);
}

/** The report for people: a table, ratios, notes. */
export function formatReport(cases: readonly CaseReport[], machine: string): string {
  const table = [
    ...formatTable(cases, MATCHING_COLUMNS, isMatching),
    ...formatTable(cases, IDLE_COLUMNS, isIdle),
  ];
  const width = Math.max(...cases.map(({ name }) => name.length)) + 2;
  const labels = cases.map(({ name, label }) => `${name.padEnd(width)}${label}`);
  return [machine, "", ...table, "", ...labels, ...formatNotes(cases), ""].join("\n");
}

/** The report for programs. */
export function reportObject(cases: readonly CaseReport[], machine: string): unknown {
  return {
    machine,
    errors: countErrors(cases),
    cases: cases.map(({ name, label, rounds }) => ({
      name,
      label,
      medians: {
        ...medianMembers(rounds, MATCHING_COLUMNS, isMatching),
        ...medianMembers(rounds, IDLE_COLUMNS, isIdle),
      },
      rounds,
    })),
  };
}

function formatTable<Result extends LoadResult>(
  cases: readonly CaseReport[],
  columns: readonly Column<Result>[],
  isOfKind: (result: LoadResult) => result is Result,
): string[] {
  const rows: string[][] = [["", ...columns.map(({ title }) => title), "errors"]];
  const ratios: string[][] = [];
  let baseline: readonly number[] | undefined;
  for (const { name, rounds } of cases) {
    const ofKind = rounds.filter(isOfKind);
    if (ofKind.length === 0) continue;
    const middle = columns.map(({ value }) => median(ofKind.map(value)));
    const errors = String(countErrors([{ name, label: "", rounds: ofKind }]));
    rows.push([name, ...middle.map((value, at) => value.toFixed(columns[at]?.digits)), errors]);
    for (const [index, result] of ofKind.entries()) {
      const raw = columns.map(({ value, digits }) => value(result).toFixed(digits));
      rows.push([`  round ${index + 1}`, ...raw, ""]);
    }
    if (baseline === undefined) baseline = middle;
    else ratios.push([`${name} / ${cases[0]?.name}`, ...formatRatios(middle, baseline), ""]);
  }
  return rows.length === 1 ? [] : alignColumns([...rows, ...ratios]);
}

function formatRatios(values: readonly number[], baseline: readonly number[]): string[] {
  return values.map((value, at) => `${(value / (baseline[at] ?? Number.NaN)).toFixed(2)} x`);
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function formatNotes(cases: readonly CaseReport[]): string[] {
  const notes: string[] = [];
  for (const { name, rounds } of cases) {
    for (const [index, result] of rounds.entries()) {
      const round = `${name}, round ${index + 1}:`;
      for (const [reason, count] of Object.entries(result.errors))
        notes.push(`${round} ${count} x ${reason}`);
      if (result.kind === "idle" && !result.settled)
        notes.push(`${round} memory was still changing when it was read`);
      if (result.kind === "matching" && result.generatorLoad > BUSY_GENERATOR)
        notes.push(
          `${round} matches/s is the generator's limit; CPU per match is the server's own`,
        );
    }
  }
  return notes.length === 0 ? [] : ["", ...notes];
}

function medianMembers<Result extends LoadResult>(
  rounds: readonly LoadResult[],
  columns: readonly Column<Result>[],
  isOfKind: (result: LoadResult) => result is Result,
): Record<string, number> {
  const ofKind = rounds.filter(isOfKind);
  if (ofKind.length === 0) return {};
  return Object.fromEntries(columns.map(({ key, value }) => [key, median(ofKind.map(value))]));
}

function isMatching(result: LoadResult): result is MatchingResult {
  return result.kind === "matching";
}

function isIdle(result: LoadResult): result is IdleResult {
  return result.kind === "idle";
}
