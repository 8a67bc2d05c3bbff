/** Randomness that a seed determines, so that a run can be repeated. */

/**
 * A stream of random numbers (sfc32, Chris Doty-Humphrey, PractRand). Each peer has a stream of its own, made from the
 * seed and its number: what it draws does not depend on what other peers do, so all policies meet the same people.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Whole numbers below 2^32; different streams of one seed are independent. */
  constructor(seed: number, stream = 0, index = 0) {
    this.#a = mix(seed);
    this.#b = mix(this.#a ^ stream);
    this.#c = mix(this.#b ^ index);
    for (let i = 0; i < 12; i++) this.next();
  }

  /** From 0 on, below 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Uniform from `least` on, below `most`. */
  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** One of the entries, with a probability in proportion to its weight. Throws if there is none. */
  pick<Entry extends { readonly weight: number }>(entries: readonly Entry[]): Entry {
    let left = this.next() * entries.reduce((sum, { weight }) => sum + weight, 0);
    for (const entry of entries) {
      left -= entry.weight;
      if (left < 0) return entry;
    }
    // Rounding can leave a last bit over.
    const last = entries.at(-1);
    if (last === undefined) throw new Error("there is nothing to pick from");
    return last;
  }
}

/** From 0 on, below 1, and always the same for the same three numbers. */
export function fixedChance(seed: number, one: number, other: number): number {
  return (mix(mix(mix(seed) ^ one) ^ other) >>> 0) / 2 ** 32;
}

/** Scatters 32 bits (lowbias32, Chris Wellons). */
function mix(value: number): number {
  let x = (value + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
