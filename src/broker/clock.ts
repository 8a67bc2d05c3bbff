/** Time, as the broker is given it. */

export interface Clock {
  /** Milliseconds since some fixed moment, with fractions; never goes back. */
  now(): number;
  /** Calls `callback` once, at the time `at` or soon after; the returned function takes that back. */
  callAt(at: number, callback: () => void): () => void;
}
