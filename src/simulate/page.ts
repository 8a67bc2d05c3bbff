/** The comparison as one page that needs nothing else: tables, and plots as SVG. */

import { colourOf, escapeHtml, formatPlot, type Plot } from "./plot.ts";
import { COLUMNS, formatHeading, formatSpread, LEGEND, type ScenarioReport } from "./report.ts";
import { type PartCounts, PARTS } from "./tally.ts";

/** The longest time to a match that is plotted, in s. */
const LONGEST_TIME = 60;

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 88rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
td:first-child::before { content: "■ "; color: var(--colour); }
svg { max-width: 100%; height: auto; font: 11px system-ui, sans-serif; fill: currentColor; }
.title { font-weight: bold; }
.grid { stroke: #8884; fill: none; }
.line { fill: none; stroke-width: 1.8; }
`;

export function formatPage(reports: readonly ScenarioReport[]): string {
  const title = "Policies of a Snowflake broker, simulated";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<ul>
${LEGEND.map((line) => `<li>${escapeHtml(line)}</li>`).join("\n")}
</ul>
${reports.map(formatScenario).join("\n")}
</html>
`;
}

function formatScenario(report: ScenarioReport): string {
  const head = ["policy", ...COLUMNS.map(({ heading }) => heading)];
  const rows = report.policies.map(({ policy, summary }, i) => {
    const cells = COLUMNS.map(({ figure, digits }) => formatSpread(summary[figure], digits));
    const name = `<td style="--colour:${colourOf(i)}">${escapeHtml(policy)}</td>`;
    return `<tr>${name}${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return `<h2>${escapeHtml(report.scenario)}</h2>
<p>${escapeHtml(formatHeading(report))}</p>
<table>
<tr>${head.map((cell) => `<th>${escapeHtml(cell)}</th>`).join("")}</tr>
${rows.join("\n")}
</table>
${plotsOf(report).map(formatPlot).join("\n")}`;
}

function plotsOf(report: ScenarioReport): Plot[] {
  const hours = report.duration / 3_600_000;
  const overTime = (yLabel: string, figure: (part: PartCounts) => number | null) => ({
    xLabel: "hours",
    yLabel,
    xEnd: hours,
    lines: report.policies.map(({ policy, parts }) => ({
      name: policy,
      points: parts.map((part, i) => [((i + 0.5) * hours) / PARTS, figure(part)] as const),
    })),
  });
  const seconds = (report.duration / 1000 / PARTS) * report.seeds.length;
  const perPerson = (count: number, { people }: PartCounts) =>
    people === 0 ? null : count / people;
  return [
    {
      title: "Matched within so many seconds",
      xLabel: "seconds from the first attempt",
      yLabel: "percent of all people",
      xEnd: LONGEST_TIME,
      yEnd: 100,
      lines: report.policies.map(({ policy, percentiles }) => ({
        name: policy,
        points: percentiles.flatMap((time, percent) =>
          time === null ? [] : [[time, percent] as const],
        ),
      })),
    },
    {
      title: "Matched, by when they came",
      yEnd: 100,
      ...overTime("percent of people", (part) => {
        const share = perPerson(part.matched, part);
        return share === null ? null : 100 * share;
      }),
    },
    {
      title: "Denials",
      ...overTime("for each person that came", (part) => perPerson(part.denied, part)),
    },
    {
      title: "Polls",
      ...overTime("polls/s, full size", ({ polls }) => (polls / seconds) * report.scale),
    },
  ];
}
