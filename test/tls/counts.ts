/** What a process of a test counts, under whatever names, and tells another. */

export class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, this.of(name) + count);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** A line of JSON. */
  format(): string {
    return JSON.stringify(Object.fromEntries(this.#counts));
  }

  /** Reads what `format` wrote; throws if it is something else. */
  static parse(text: string): Counts {
    const counts = new Counts();
    const value: unknown = JSON.parse(text);
    for (const [name, count] of Object.entries(Object(value))) {
      if (typeof count !== "number") throw new Error(`${name} is no number`);
      counts.add(name, count);
    }
    return counts;
  }
}
