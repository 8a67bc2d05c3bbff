/** What the rounds of a benchmark come to: medians with the raw rounds beside them, and ratios to the first case. */

import {
  type FieldResult,
  type IdleResult,
  type LoadResult,
  type MatchingResult,
  type MethodResult,
  METHODS,
  type MixedResult,
} from "./load-result.ts";
import { median } from "./statistics.ts";
import { alignColumns, type Column, ratioCells, type Row, tableCells } from "./table.ts";

/** All rounds of one case. The first case of a report is the one that the others are compared with. */
export interface CaseReport {
  readonly name: string;
  /** What the figures are figures of. */
  readonly label: string;
  readonly rounds: readonly LoadResult[];
}

const THROUGHPUT_COLUMNS: readonly Column<MatchingResult | MixedResult>[] = [
  { key: "matchesPerSecond", title: "matches/s", digits: 0, value: (r) => r.matchesPerSecond },
  { key: "cpuPerMatch", title: "CPU µs/match", digits: 1, value: (r) => r.cpuPerMatch },
];

const LATENCY_COLUMNS: readonly Column<MatchingResult | MethodResult>[] = [
  { key: "latencyP50", title: "p50 ms", digits: 2, value: (r) => r.latencyP50 },
  { key: "latencyP99", title: "p99 ms", digits: 2, value: (r) => r.latencyP99 },
  { key: "latencyMax", title: "max ms", digits: 2, value: (r) => r.latencyMax },
];

const PROCESS_COLUMNS: readonly Column<MatchingResult | MixedResult | FieldResult>[] = [
  { key: "residentMb", title: "RSS MB", digits: 1, value: (r) => r.residentKb / 1024 },
  { key: "peakMb", title: "peak MB", digits: 1, value: (r) => r.peakKb / 1024 },
  { key: "generatorLoad", title: "generator", digits: 2, value: (r) => r.generatorLoad },
];

const MATCHING_COLUMNS: readonly Column<MatchingResult>[] = [
  ...THROUGHPUT_COLUMNS,
  { key: "firstCpuPerMatch", title: "first", digits: 1, value: (r) => r.firstCpuPerMatch },
  ...LATENCY_COLUMNS,
  ...PROCESS_COLUMNS,
];

const MIXED_COLUMNS: readonly Column<MixedResult>[] = [...THROUGHPUT_COLUMNS, ...PROCESS_COLUMNS];

const METHOD_COLUMNS: readonly Column<MethodResult>[] = [
  { key: "matchesPerSecond", title: "matches/s", digits: 0, value: (r) => r.matchesPerSecond },
  ...LATENCY_COLUMNS,
];

const IDLE_COLUMNS: readonly Column<IdleResult>[] = [
  { key: "kbPerProxy", title: "KB/proxy", digits: 2, value: (r) => r.kbPerProxy },
  { key: "waiting", title: "waiting", digits: 0, value: (r) => r.waiting },
  { key: "baselineMb", title: "before MB", digits: 1, value: (r) => r.baselineKb / 1024 },
  { key: "residentMb", title: "RSS MB", digits: 1, value: (r) => r.residentKb / 1024 },
  { key: "peakMb", title: "peak MB", digits: 1, value: (r) => r.peakKb / 1024 },
  { key: "settleSeconds", title: "settled s", digits: 0, value: (r) => r.settleSeconds },
];

const FIELD_COLUMNS: readonly Column<FieldResult>[] = [
  { key: "cpuPerPoll", title: "CPU µs/poll", digits: 0, value: (r) => r.cpuPerPoll },
  { key: "polls", title: "polls", digits: 0, value: (r) => r.polls },
  { key: "handshakes", title: "handshakes", digits: 0, value: (r) => r.handshakes },
  ...PROCESS_COLUMNS,
];

/** From this on the generator is what limits matches/s. */
const BUSY_GENERATOR = 0.9;

/** How many errors all rounds had together. */
export function countErrors(cases: readonly CaseReport[]): number {
  return cases
    .flatMap(({ rounds }) => rounds)
    .map(errorsOf)
    .reduce((sum, count) => sum + count, 0);
}

/** The report for people: tables, ratios, notes. */
export function formatReport(cases: readonly CaseReport[], machine: string): string {
  const tables = [
    compare(rowsOf(cases, isMatching), MATCHING_COLUMNS),
    compare(rowsOf(cases, isMixed), MIXED_COLUMNS),
    ...rowsOf(cases, isMixed).map(formatMethods),
    compare(rowsOf(cases, isIdle), IDLE_COLUMNS),
    compare(rowsOf(cases, isField), FIELD_COLUMNS),
  ].filter((lines) => lines.length > 0);
  const width = Math.max(...cases.map(({ name }) => name.length)) + 2;
  const labels = cases.map(({ name, label }) => `${name.padEnd(width)}${label}`);
  return [
    machine,
    "",
    ...tables.flatMap((lines) => [...lines, ""]),
    ...labels,
    ...formatNotes(cases),
    "",
  ].join("\n");
}

/** The report for programs. */
export function reportObject(cases: readonly CaseReport[], machine: string): unknown {
  return {
    machine,
    errors: countErrors(cases),
    cases: cases.map((entry) => ({ ...entry, medians: caseMedians(entry.rounds) })),
  };
}

function caseMedians(rounds: readonly LoadResult[]): Record<string, unknown> {
  const mixed = rounds.filter(isMixed);
  return {
    ...medianMembers(rounds.filter(isMatching), MATCHING_COLUMNS),
    ...medianMembers(mixed, MIXED_COLUMNS),
    ...medianMembers(rounds.filter(isIdle), IDLE_COLUMNS),
    ...medianMembers(rounds.filter(isField), FIELD_COLUMNS),
    ...(mixed.length === 0 ? {} : { methods: methodMedians(mixed) }),
  };
}

function methodMedians(rounds: readonly MixedResult[]): Record<string, unknown> {
  return Object.fromEntries(
    methodRows(rounds).map(({ name, rounds: ofMethod }) => [
      name,
      medianMembers(ofMethod, METHOD_COLUMNS),
    ]),
  );
}

function compare<Result extends LoadResult>(
  rows: readonly Row<Result>[],
  columns: readonly Column<Result>[],
): string[] {
  if (rows.length === 0) return [];
  return alignColumns([...tableCells(rows, columns, errorsOf), ...ratioCells(rows, columns)]);
}

function formatMethods({ rounds }: Row<MixedResult>): string[] {
  return alignColumns(tableCells(methodRows(rounds), METHOD_COLUMNS, ({ errors }) => errors));
}

function methodRows(rounds: readonly MixedResult[]): Row<MethodResult>[] {
  return METHODS.map((name) => ({ name, rounds: rounds.map(({ methods }) => methods[name]) }));
}

/** The cases that have results of a kind, with those results. */
function rowsOf<Result extends LoadResult>(
  cases: readonly CaseReport[],
  isOfKind: (result: LoadResult) => result is Result,
): Row<Result>[] {
  return cases
    .map(({ name, rounds }) => ({ name, rounds: rounds.filter(isOfKind) }))
    .filter(({ rounds }) => rounds.length > 0);
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
      if (result.kind !== "idle" && result.generatorLoad > BUSY_GENERATOR)
        notes.push(
          `${round} matches/s is the generator's limit; CPU per match is the server's own`,
        );
    }
  }
  return notes.length === 0 ? [] : ["", ...notes];
}

function medianMembers<Result>(
  rounds: readonly Result[],
  columns: readonly Column<Result>[],
): Record<string, number> {
  if (rounds.length === 0) return {};
  return Object.fromEntries(columns.map(({ key, value }) => [key, median(rounds.map(value))]));
}

function errorsOf({ errors }: LoadResult): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

function isMatching(result: LoadResult): result is MatchingResult {
  return result.kind === "matching";
}

function isMixed(result: LoadResult): result is MixedResult {
  return result.kind === "mixed";
}

function isIdle(result: LoadResult): result is IdleResult {
  return result.kind === "idle";
}

function isField(result: LoadResult): result is FieldResult {
  return result.kind === "field";
}
