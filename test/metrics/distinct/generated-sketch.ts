/** Sketches as the vectors have them. */

import { DistinctSketch } from "../../../src/metrics/distinct/sketch.ts";
import { splitmix64 } from "./splitmix64.ts";

/** A sketch that the first `n` outputs of the generator were added to. */
export function generateSketch(seed: number, n: number): DistinctSketch {
  const sketch = new DistinctSketch();
  splitmix64(seed, n, (hi, lo) => sketch.add(hi, lo));
  return sketch;
}
