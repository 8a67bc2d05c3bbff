/** Plots of lines, as SVG. */

/** A line; a point without y is a gap. */
export interface PlotLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** The right end of the x axis; lines are cut there. Both axes begin at 0. */
  readonly xEnd: number;
  /** The top of the y axis; undefined: as high as the highest point. */
  readonly yEnd?: number;
  readonly lines: readonly PlotLine[];
}

const WIDTH = 420;
const HEIGHT = 260;
const MARGIN = { left: 52, right: 10, top: 26, bottom: 36 } as const;
/** The most steps of an axis. */
const MOST_STEPS = 6;

/** Those of the colours that colour-blind people can tell apart (Okabe and Ito) that show on black and on white. */
const COLOURS = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;

/** The colour of the line with this index. */
export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? COLOURS[0];
}

export function formatPlot({ title, xLabel, yLabel, xEnd, yEnd, lines }: Plot): string {
  const highest = Math.max(0, ...lines.flatMap(({ points }) => points.map(([, y]) => y ?? 0)));
  const top = yEnd ?? (highest === 0 ? 1 : highest * 1.05);
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const toX = (x: number) => MARGIN.left + (x / xEnd) * (right - MARGIN.left);
  const toY = (y: number) => bottom - (y / top) * (bottom - MARGIN.top);
  const parts = [
    `<text class="title" x="${MARGIN.left}" y="16">${escapeHtml(title)}</text>`,
    ...ticksOf(top).flatMap((y) => [
      `<path class="grid" d="M${MARGIN.left} ${fix(toY(y))}H${right}"/>`,
      `<text text-anchor="end" x="${MARGIN.left - 5}" y="${fix(toY(y) + 4)}">${y}</text>`,
    ]),
    ...ticksOf(xEnd).map(
      (x) => `<text text-anchor="middle" x="${fix(toX(x))}" y="${bottom + 14}">${x}</text>`,
    ),
    `<text text-anchor="middle" x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 6}">${escapeHtml(xLabel)}</text>`,
    `<text text-anchor="middle" transform="translate(11 ${(MARGIN.top + bottom) / 2}) rotate(-90)">${escapeHtml(yLabel)}</text>`,
    ...lines.map(
      (line, i) =>
        `<path class="line" stroke="${colourOf(i)}" d="${formatPath(line, xEnd, toX, toY)}"><title>${escapeHtml(line.name)}</title></path>`,
    ),
  ];
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img">${parts.join("\n")}</svg>`;
}

/** Text as it stands between two tags or in an attribute. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function formatPath(
  { points }: PlotLine,
  xEnd: number,
  toX: (x: number) => number,
  toY: (y: number) => number,
): string {
  let path = "";
  let isDown = false;
  for (const [x, y] of points) {
    if (y === null || x > xEnd) {
      isDown = false;
      continue;
    }
    path += `${isDown ? "L" : "M"}${fix(toX(x))} ${fix(toY(y))}`;
    isDown = true;
  }
  return path;
}

function fix(value: number): string {
  return value.toFixed(1);
}

/** Round numbers from 0 to no more than `end`. */
function ticksOf(end: number): number[] {
  const least = end / MOST_STEPS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
  // Rounded, because 3 * 0.1 is not 0.3.
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) =>
    Number((i * step).toPrecision(6)),
  );
}
