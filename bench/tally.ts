/** What the peers have seen since their first request. */

/** Kinds of errors are few; a server that invents more of them is not worth more memory. */
const ERROR_KINDS = 20;

export class Tally {
  /** Polls that have no reply at this moment. */
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
