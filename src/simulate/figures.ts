/** From what runs counted to the figures that are compared. */

import type { RunResult } from "./run.ts";
import { type PartCounts, PARTS } from "./tally.ts";

/** The figures of one run. Times are in s; null stands for a person that never got a match. */
export interface Figures {
  /** People of 1,000 that got a match that works. */
  readonly matched: number;
  /** The mean time from the first attempt to that match, of those who got one. */
  readonly mean: number | null;
  /** How much of this mean was lost to attempts that were denied, were not answered, or whose channel did not open. */
  readonly lostDenied: number | null;
  readonly lostTimedOut: number | null;
  readonly lostChannelFailed: number | null;
  /** Within which time so many percent of all people got one. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  /** Offers refused because no proxy waited, for 1,000 people. */
  readonly denials: number;
  /** Those of clients that only open proxies can serve. */
  readonly deniedOpenOnly: number;
  /** Offers that no proxy answered in time, for 1,000 people. */
  readonly timeouts: number;
  /** Channels that did not open after an answer, for 1,000 people. */
  readonly channelFailures: number;
  /** Polls in a second, of a population of full size. */
  readonly polls: number;
}

/** A figure over all seeds: its mean and its standard deviation; null if a run has none. */
export type Spread = { readonly mean: number; readonly deviation: number } | null;

/** What a policy did in a scenario. */
export interface PolicyReport {
  readonly policy: string;
  readonly runs: readonly (Figures & { readonly seed: number; readonly people: number })[];
  readonly summary: Readonly<Record<keyof Figures, Spread>>;
  /** Within how many s 0, 1, 2, ... 100 percent of the people of all runs got a match. */
  readonly percentiles: readonly (number | null)[];
  /** The sums over all runs, for each part of the measured time. */
  readonly parts: readonly PartCounts[];
}

/** A run and the seed that it can be repeated with. */
export type SeededRun = RunResult & { readonly seed: number };

/** `duration`: the measured time, in ms. */
export function reportPolicy(
  policy: string,
  runs: readonly SeededRun[],
  { duration, scale }: { readonly duration: number; readonly scale: number },
): PolicyReport {
  const figures = runs.map(({ seed, tally }) => {
    const { people, times, lost, denials, deniedOpenOnly, timeouts, channelFailures, polls } =
      tally;
    const percentile = percentilesOf(times, people);
    const perMatched = (ms: number) => (times.length === 0 ? null : ms / times.length / 1000);
    const perThousand = (count: number) => (people === 0 ? 0 : (1000 * count) / people);
    return {
      seed,
      people,
      matched: perThousand(times.length),
      mean: perMatched(times.reduce((sum, ms) => sum + ms, 0)),
      lostDenied: perMatched(lost.denied),
      lostTimedOut: perMatched(lost.timedOut),
      lostChannelFailed: perMatched(lost.channelFailed),
      p50: percentile(50),
      p90: percentile(90),
      p99: percentile(99),
      denials: perThousand(denials),
      deniedOpenOnly: perThousand(deniedOpenOnly),
      timeouts: perThousand(timeouts),
      channelFailures: perThousand(channelFailures),
      polls: (polls * scale) / (duration / 1000),
    };
  });
  const people = figures.reduce((sum, run) => sum + run.people, 0);
  const percentile = percentilesOf(
    runs.flatMap(({ tally }) => tally.times),
    people,
  );
  const spread = (name: keyof Figures) => spreadOf(figures.map((run) => run[name]));
  return {
    policy,
    runs: figures,
    summary: {
      matched: spread("matched"),
      mean: spread("mean"),
      lostDenied: spread("lostDenied"),
      lostTimedOut: spread("lostTimedOut"),
      lostChannelFailed: spread("lostChannelFailed"),
      p50: spread("p50"),
      p90: spread("p90"),
      p99: spread("p99"),
      denials: spread("denials"),
      deniedOpenOnly: spread("deniedOpenOnly"),
      timeouts: spread("timeouts"),
      channelFailures: spread("channelFailures"),
      polls: spread("polls"),
    },
    percentiles: Array.from({ length: 101 }, (_, percent) => percentile(percent)),
    parts: Array.from({ length: PARTS }, (_, part) => sumOfParts(runs, part)),
  };
}

/** Gives the time in s within which so many percent of the people got a match. `times` are in ms. */
function percentilesOf(
  times: readonly number[],
  people: number,
): (percent: number) => number | null {
  const sorted = Float64Array.from(times).toSorted();
  return (percent) => {
    const ms = sorted[Math.max(0, Math.ceil((percent / 100) * people) - 1)];
    return ms === undefined ? null : ms / 1000;
  };
}

function spreadOf(values: readonly (number | null)[]): Spread {
  const known = values.filter((value) => value !== null);
  if (known.length < values.length || known.length === 0) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, known.length - 1)) };
}

function sumOfParts(runs: readonly SeededRun[], part: number): PartCounts {
  const sum = { people: 0, matched: 0, waited: 0, denied: 0, polls: 0 };
  for (const { tally } of runs) {
    const counts = tally.parts[part];
    if (counts === undefined) continue;
    sum.people += counts.people;
    sum.matched += counts.matched;
    sum.waited += counts.waited;
    sum.denied += counts.denied;
    sum.polls += counts.polls;
  }
  return sum;
}
