/** Proxies whose NAT type is unknown because their probe could not be reached: what their address last proved to be. */

import type { NatType } from "../../messages/nat-type.ts";
import { AddressTable, type Remembered } from "./address-table.ts";
import type { PoolName } from "./nat-classes.ts";

interface Proof extends Remembered {
  readonly pool: PoolName;
}

export class NatMemory {
  readonly #memory: number;
  readonly #proofs: AddressTable<Proof>;

  /** `memory`: how long a proof counts, in ms. */
  constructor(memory: number, maxEntries: number) {
    this.#memory = memory;
    this.#proofs = new AddressTable(maxEntries);
  }

  get size(): number {
    return this.#proofs.size;
  }

  /**
   * The pool of a proxy that says it is of this NAT type, which by itself belongs to `pool`. Only what is better than
   * strict is remembered, and it is forgotten when the address says something worse.
   */
  poolOf(key: number, nat: NatType, pool: PoolName, now: number): PoolName {
    if (nat === "unknown") return this.#proofs.get(key, now)?.pool ?? pool;
    if (pool === "strict") this.#proofs.delete(key);
    else this.#proofs.set(key, { pool, expires: now + this.#memory }, now);
    return pool;
  }
}
