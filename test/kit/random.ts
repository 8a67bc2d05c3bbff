/** What tests draw from the generator of the simulator. */

import { Random as SeededRandom } from "../../src/simulate/random.ts";

export class Random extends SeededRandom {
  /** A whole number from 0 up to `end`. */
  below(end: number): number {
    return Math.floor(this.between(0, end));
  }

  of<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}
