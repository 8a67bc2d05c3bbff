/** From the state of a sketch to a number of distinct hashes. */

import { BIAS, RAW_ESTIMATE } from "./bias-table.ts";
import { MAX_RHO, REGISTERS } from "./hash-split.ts";

/**
 * The registers that a sparse sketch is taken to have. Its keys would allow for 2^25; the value is upstream's, kept
 * for equal results.
 */
const SPARSE_REGISTERS = 2 ** 24;

/** Raw estimates above this carry no bias worth removing. */
const BIAS_LIMIT = 5 * REGISTERS;

/** Up to this result, counting empty registers is the better estimate at this precision. */
const LINEAR_COUNTING_LIMIT = 350_000;

const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** 2^-rho. */
const WEIGHTS = Float64Array.from({ length: MAX_RHO + 1 }, (_, rho) => 2 ** -rho);

/** The estimate of a sparse sketch with this many keys. */
export function estimateSparse(keys: number): number {
  return Math.floor(linearCounting(SPARSE_REGISTERS, SPARSE_REGISTERS - keys));
}

/** The estimate of a dense sketch. */
export function estimateDense(registers: Uint8Array): number {
  let sum = 0;
  let zeros = 0;
  for (const rho of registers) {
    sum += WEIGHTS[rho] ?? 0;
    if (rho === 0) zeros++;
  }
  if (zeros > 0) {
    const linear = linearCounting(REGISTERS, zeros);
    if (linear <= LINEAR_COUNTING_LIMIT) return Math.floor(linear);
  }
  const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
  return Math.floor(raw <= BIAS_LIMIT ? raw - biasAt(raw) : raw);
}

/** The bias of a raw estimate, from the table; outside of it, that of the nearest point. */
export function biasAt(raw: number): number {
  const next = RAW_ESTIMATE.findIndex((point) => point >= raw);
  if (next === -1) return BIAS.at(-1) ?? 0;
  const after = BIAS[next] ?? 0;
  const before = BIAS[next - 1];
  const from = RAW_ESTIMATE[next - 1];
  const to = RAW_ESTIMATE[next];
  if (before === undefined || from === undefined || to === undefined) return after;
  const share = (raw - from) / (to - from);
  return before * (1 - share) + after * share;
}

/** How many balls leave `empty` of so many bins empty. */
function linearCounting(bins: number, empty: number): number {
  return bins * Math.log(bins / empty);
}
