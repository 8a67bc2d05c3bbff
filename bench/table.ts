/** Tables of a report: medians with the raw rounds below them, and ratios to the first row. */

import { median } from "./statistics.ts";

export interface Column<Result> {
  /** The member's name in machine-readable reports. */
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  readonly value: (result: Result) => number;
}

/** What was measured under one name, at least once. */
export interface Row<Result> {
  readonly name: string;
  readonly rounds: readonly Result[];
}

/** The cells of a table, titles included, with a last column for the errors of all rounds. */
export function tableCells<Result>(
  rows: readonly Row<Result>[],
  columns: readonly Column<Result>[],
  countErrors: (result: Result) => number,
): string[][] {
  const cells = [["", ...columns.map(({ title }) => title), "errors"]];
  for (const { name, rounds } of rows) {
    const errors = rounds.reduce((sum, result) => sum + countErrors(result), 0);
    const middle = columns.map(({ value, digits }) => median(rounds.map(value)).toFixed(digits));
    cells.push([name, ...middle, String(errors)]);
    for (const [index, result] of rounds.entries()) {
      const raw = columns.map(({ value, digits }) => value(result).toFixed(digits));
      cells.push([`  round ${index + 1}`, ...raw, ""]);
    }
  }
  return cells;
}

/** More cells for the same columns: the medians of each further row in those of the first. */
export function ratioCells<Result>(
  [first, ...others]: readonly Row<Result>[],
  columns: readonly Column<Result>[],
): string[][] {
  if (first === undefined) return [];
  return others.map(({ name, rounds }) => {
    const ratios = columns.map(
      ({ value }) => median(rounds.map(value)) / median(first.rounds.map(value)),
    );
    return [`${name} / ${first.name}`, ...ratios.map((ratio) => `${ratio.toFixed(2)} x`), ""];
  });
}

/** A line for each row: the first column begins, the others end at one place. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
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
