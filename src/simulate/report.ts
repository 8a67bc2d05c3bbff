/** The comparison of policies in one scenario, as text and as JSON. */

import type { PolicyReport, Spread } from "./figures.ts";

export interface ScenarioReport {
  readonly scenario: string;
  readonly meaning: string;
  readonly scale: number;
  /** The measured time, in ms. */
  readonly duration: number;
  readonly seeds: readonly number[];
  readonly policies: readonly PolicyReport[];
}

/** The columns: which figure, its heading, and digits after the point. */
export const COLUMNS = [
  { figure: "matched", heading: "matched", digits: 1 },
  { figure: "mean", heading: "mean s", digits: 1 },
  { figure: "lostDenied", heading: "denied s", digits: 1 },
  { figure: "lostTimedOut", heading: "silent s", digits: 1 },
  { figure: "lostChannelFailed", heading: "channel s", digits: 1 },
  { figure: "p50", heading: "p50 s", digits: 1 },
  { figure: "p90", heading: "p90 s", digits: 1 },
  { figure: "p99", heading: "p99 s", digits: 1 },
  { figure: "denials", heading: "denials", digits: 0 },
  { figure: "timeouts", heading: "timeouts", digits: 0 },
  { figure: "polls", heading: "polls/s", digits: 2 },
] as const;

/** What the columns of the table mean. */
export const LEGEND = [
  "matched: people of 1,000 that got a match that works; denials, timeouts: for 1,000 people",
  "mean s: from a person's first attempt to that match, of those who got one; p50, p90, p99: of all people",
  "denied s, silent s, channel s: the part of this mean lost to attempts that were denied, not answered, or whose channel did not open",
  "polls/s: of a population of full size; ±: standard deviation over the seeds",
] as const;

/** A table with a row for each policy, under a line that names the scenario. Ends with a line feed. */
export function formatTable(report: ScenarioReport): string {
  const rows = [
    ["policy", ...COLUMNS.map(({ heading }) => heading)],
    ...report.policies.map(({ policy, summary }) => [
      policy,
      ...COLUMNS.map(({ figure, digits }) => formatSpread(summary[figure], digits)),
    ]),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  "),
  );
  return `${[formatHeading(report), ...lines].join("\n")}\n`;
}

/** The scenario, how large it is, and the seeds it can be repeated with. */
export function formatHeading({ scenario, meaning, scale, seeds }: ScenarioReport): string {
  const seedWord = seeds.length === 1 ? "seed" : "seeds";
  return `${scenario}: ${meaning} (1:${scale}, ${seedWord} ${seeds.join(" ")})`;
}

/** A mean and its deviation, which is left out if it rounds to nothing. */
export function formatSpread(spread: Spread, digits: number): string {
  if (spread === null) return "never";
  const deviation = spread.deviation.toFixed(digits);
  const mean = spread.mean.toFixed(digits);
  return Number(deviation) === 0 ? mean : `${mean} ±${deviation}`;
}

/** All figures of all runs. Ends with a line feed. */
export function formatJson(reports: readonly ScenarioReport[]): string {
  return `${JSON.stringify({ scenarios: reports }, null, 1)}\n`;
}
