/** A set of which only the approximate size can be told: HyperLogLog++ at precision 18. */

import { estimateDense, estimateSparse } from "./estimate.ts";
import { hashIndex, hashRho, keyIndex, keyRho, REGISTERS, sparseKey } from "./hash-split.ts";
import { EMPTY_KEY_LIST, type KeyList, listKeys, uniteKeys } from "./key-list.ts";

/** The most pending keys between two operations: one hundredth of the registers. */
export const MAX_PENDING = Math.floor(REGISTERS / 100);

/** The most bytes of a sparse list between two operations: those of the registers that take its place. */
export const MAX_LIST_BYTES = REGISTERS;

/** What a sketch holds; what it is stored as. */
export type SketchState =
  | {
      readonly kind: "sparse";
      /** Keys not yet in the list (some may be there too), at most `MAX_PENDING`. */
      readonly pending: ReadonlySet<number>;
      /** At most `MAX_LIST_BYTES` of bytes. */
      readonly list: KeyList;
    }
  | {
      readonly kind: "dense";
      /** The largest rho of each register's hashes; 0 if it has none. */
      readonly registers: Uint8Array;
    };

/**
 * Counts distinct hashes of 64 bits. It begins sparse, keeping a key of 32 bits for each hash (pending ones in a set,
 * the others in a compressed list), and turns into one byte per register when the list would take more room. No state
 * takes more than 1 MB.
 */
export class DistinctSketch {
  #pending: Set<number> = new Set();
  #list: KeyList = EMPTY_KEY_LIST;
  #registers: Uint8Array | undefined;

  /** Begins with nothing, or with a state that it then owns. */
  constructor(state?: SketchState) {
    if (state?.kind === "dense") {
      this.#registers = state.registers;
    } else if (state?.kind === "sparse") {
      this.#pending = new Set(state.pending);
      this.#list = state.list;
    }
  }

  /** A view of the present state; it changes with the sketch. */
  get state(): SketchState {
    return this.#registers === undefined
      ? { kind: "sparse", pending: this.#pending, list: this.#list }
      : { kind: "dense", registers: this.#registers };
  }

  /** Whether no hash was ever added. */
  get isEmpty(): boolean {
    return this.#registers === undefined && this.#pending.size === 0 && this.#list.count === 0;
  }

  /** Adds a hash: its upper and lower 32 bits. */
  add(hi: number, lo: number): void {
    if (this.#registers === undefined) {
      this.#pending.add(sparseKey(hi, lo));
      if (this.#pending.size > MAX_PENDING) this.#mergePending();
    } else {
      raise(this.#registers, hashIndex(hi), hashRho(hi, lo));
    }
  }

  /** Adds all that another sketch, which stays as it is, was given. */
  merge(other: DistinctSketch): void {
    if (this.#registers === undefined && other.#registers === undefined) {
      this.#mergeSparse(other);
      return;
    }
    const registers = this.#densify();
    if (other.#registers === undefined) {
      raiseKeys(registers, other.#pending);
      raiseKeys(registers, listKeys(other.#list));
    } else {
      for (let i = 0; i < REGISTERS; i++) raise(registers, i, other.#registers[i] ?? 0);
    }
  }

  /** About how many distinct hashes were added. Pending keys are merged into the list first. */
  estimate(): number {
    if (this.#registers === undefined) this.#mergePending();
    return this.#registers === undefined
      ? estimateSparse(this.#list.count)
      : estimateDense(this.#registers);
  }

  #mergeSparse(other: DistinctSketch): void {
    for (const key of other.#pending) this.#pending.add(key);
    if (other.#list.count <= MAX_PENDING) {
      for (const key of listKeys(other.#list)) this.#pending.add(key);
      if (this.#pending.size <= MAX_PENDING) return;
    } else {
      this.#list = uniteKeys(this.#list, listKeys(other.#list));
    }
    this.#mergePending();
  }

  /** Moves the pending keys into the list, and turns dense if that has grown too long. */
  #mergePending(): void {
    if (this.#pending.size > 0) {
      this.#list = uniteKeys(this.#list, Uint32Array.from(this.#pending).toSorted());
      this.#pending.clear();
    }
    if (this.#list.bytes.length > MAX_LIST_BYTES) this.#densify();
  }

  #densify(): Uint8Array {
    if (this.#registers !== undefined) return this.#registers;
    const registers = new Uint8Array(REGISTERS);
    raiseKeys(registers, this.#pending);
    raiseKeys(registers, listKeys(this.#list));
    this.#pending = new Set();
    this.#list = EMPTY_KEY_LIST;
    this.#registers = registers;
    return registers;
  }
}

function raise(registers: Uint8Array, index: number, rho: number): void {
  if (rho > (registers[index] ?? 0)) registers[index] = rho;
}

function raiseKeys(registers: Uint8Array, keys: Iterable<number>): void {
  for (const key of keys) raise(registers, keyIndex(key), keyRho(key));
}
