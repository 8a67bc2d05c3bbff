/** What the peers have seen since their first request. */

/** Kinds of errors are few; a server that invents more of them is not worth more memory. */
const ERROR_KINDS = 20;

/** What there is to be seen of a load while it runs. */
export interface Sightings {
  /** Polls that have no reply at this moment. */
  readonly waiting: number;
  readonly matches: number;
  readonly errorCount: number;
}

export class Tally implements Sightings {
  waiting = 0;
  /** Polls that ended without a client. */
  idlePolls = 0;
  /** Of each match in turn, from the client's request to its answer, in ms. */
  readonly latencies: number[] = [];
  readonly errors = new Map<string, number>();

  get matches(): number {
    return this.latencies.length;
  }

  fail(reason: string): void {
    const kind = this.errors.size < ERROR_KINDS || this.errors.has(reason) ? reason : "other";
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }

  get errorCount(): number {
    return this.errors.values().reduce((sum, count) => sum + count, 0);
  }
}

/** What several tallies come to, each time it is looked at. */
export class TallySum implements Sightings {
  readonly #parts: readonly Tally[];

  constructor(parts: readonly Tally[]) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#parts.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  get matches(): number {
    return this.#parts.reduce((sum, { matches }) => sum + matches, 0);
  }

  get errorCount(): number {
    return this.#parts.reduce((sum, { errorCount }) => sum + errorCount, 0);
  }

  /** How often there was each error. */
  get errors(): ReadonlyMap<string, number> {
    const errors = new Map<string, number>();
    for (const [reason, count] of this.#parts.flatMap((part) => [...part.errors]))
      errors.set(reason, (errors.get(reason) ?? 0) + count);
    return errors;
  }
}
