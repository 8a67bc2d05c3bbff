/** Families whose figures are kept in tables of our own and handed to the registry when somebody asks. */

import { Counter, type CounterConfiguration, Gauge, type Registry } from "prom-client";

import { CountTable } from "./count-table.ts";
import { roundUpToEight } from "./rounding.ts";

/** What the names of all our families begin with. */
export const NAMESPACE = "snowflake_";

/** Makes the tables of a registry. Names are given without the namespace. */
export class CountedFamilies {
  readonly #registry: Registry;
  readonly #namespace: string;

  constructor(registry: Registry, namespace = NAMESPACE) {
    this.#registry = registry;
    this.#namespace = namespace;
  }

  /** A counter that shows its exact counts: not for anything that one message of one person can move. */
  exactCounter<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
    return this.#counter(name, help, labelNames, (count) => count);
  }

  /** A counter that shows its counts rounded, and says so in its name and its help. */
  roundedCounter<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
    const roundedHelp = `${help}, rounded up to a multiple of 8`;
    return this.#counter(`rounded_${name}`, roundedHelp, labelNames, roundUpToEight);
  }

  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
    const table = new CountTable(labelNames);
    const gauge = new Gauge({
      name: this.#namespace + name,
      help,
      labelNames,
      registers: [],
      collect() {
        for (const { labels, count } of table) this.set(labels, count);
      },
    });
    this.#registry.registerMetric(gauge);
    return table;
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    shown: (count: number) => number,
  ) {
    const table = new CountTable(labelNames);
    const configuration = { name: this.#namespace + name, help, labelNames, registers: [] };
    this.#registry.registerMetric(new TableCounter(configuration, table, shown));
    return table;
  }
}

/** A counter that has nothing of its own. Adding a table's thousands of counts at every scrape would cost 1 µs each. */
class TableCounter<Label extends string> extends Counter<Label> {
  readonly #table: CountTable<Label>;
  readonly #shown: (count: number) => number;

  constructor(
    configuration: CounterConfiguration<Label>,
    table: CountTable<Label>,
    shown: (count: number) => number,
  ) {
    super(configuration);
    this.#table = table;
    this.#shown = shown;
  }

  override async get() {
    const family = await super.get();
    const values = Array.from(this.#table, ({ labels, count }) => ({
      labels,
      value: this.#shown(count),
    }));
    return { ...family, values };
  }
}
