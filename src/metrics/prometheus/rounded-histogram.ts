/** Histograms of durations, which show nobody's own. */

import { Histogram, type HistogramConfiguration } from "prom-client";

import { roundUpToEight } from "./rounding.ts";

/** The exact durations of one child. Counting one takes about 10 ns, with the library's own children 300. */
export class Durations {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** Bounds in seconds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(seconds: number): void {
    let bucket = 0;
    while (seconds > (this.#bounds[bucket] ?? Infinity)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** How many did not exceed each bound; the last number is that of all. */
  cumulative(): number[] {
    let count = 0;
    return Array.from(this.#counts, (inBucket) => (count += inBucket));
  }

  /** Seconds. */
  get sum(): number {
    return this.#sum;
  }
}

/**
 * Shows every bucket and the count rounded up to multiples of 8, and the sum rounded up to whole seconds. Rounding up
 * keeps order, so the buckets stay cumulative, the last of them equals the count, and nothing ever falls. An average
 * taken over few observations comes out too small; over many it is right.
 */
export class RoundedHistogram<Label extends string> extends Histogram<Label> {
  readonly #name: string;
  readonly #bounds: readonly number[];
  readonly #children: { labels: Readonly<Record<Label, string>>; durations: Durations }[] = [];

  /** Bounds of the buckets in seconds, ascending. */
  constructor(configuration: HistogramConfiguration<Label> & { buckets: number[] }) {
    super(configuration);
    this.#name = configuration.name;
    this.#bounds = configuration.buckets;
  }

  /** Makes a child, once for every combination of labels. It is there from now on, without any durations. */
  child(labels: Readonly<Record<Label, string>>): Durations {
    const durations = new Durations(this.#bounds);
    this.#children.push({ labels, durations });
    return durations;
  }

  override async get() {
    const family = await super.get();
    const values = this.#children.flatMap(({ labels, durations }) => {
      const counts = durations.cumulative().map(roundUpToEight);
      const buckets = counts.map((value, n) => ({
        metricName: `${this.#name}_bucket`,
        labels: { ...labels, le: this.#bounds[n] ?? "+Inf" },
        value,
      }));
      const sum = { metricName: `${this.#name}_sum`, labels, value: Math.ceil(durations.sum) };
      const count = { metricName: `${this.#name}_count`, labels, value: counts.at(-1) ?? 0 };
      return [...buckets, sum, count];
    });
    return { ...family, values };
  }
}
