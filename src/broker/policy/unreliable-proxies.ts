/** Addresses whose proxies fail: they do not answer, or clients can't connect to them. They are taken after their peers. */

import { AddressTable, type Remembered } from "./address-table.ts";

/** How long an address goes behind its peers after its first failure, in ms; twice as long after each further one. */
const FIRST_PENALTY = 30 * 60_000;
const LONGEST_PENALTY = 4 * 3_600_000;

/** How long its failures count after that, in ms: if it fails again it goes behind for longer. */
const PROBATION = 3_600_000;

interface Failures extends Remembered {
  /** By how many its failures are more than its successes, never less than 1. */
  readonly excess: number;
  /** Until when it is behind its peers. */
  readonly behindUntil: number;
}

/**
 * A success takes back a failure. So an address that many proxies share is judged by how many of them fail, not by
 * their number: one that fails less often than not has no failures left most of the time. Addresses without failures,
 * nearly all, take no memory.
 */
export class UnreliableProxies {
  readonly #records: AddressTable<Failures>;

  constructor(maxEntries: number) {
    this.#records = new AddressTable(maxEntries);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Whether proxies of this address are taken after their peers. */
  isBehind(key: number, now: number): boolean {
    if (this.#records.size === 0) return false;
    const record = this.#records.get(key, now);
    return record !== undefined && now < record.behindUntil;
  }

  failed(key: number, now: number): void {
    const excess = 1 + (this.#records.get(key, now)?.excess ?? 0);
    const behindUntil = now + Math.min(FIRST_PENALTY * 2 ** (excess - 1), LONGEST_PENALTY);
    this.#records.set(key, { excess, behindUntil, expires: behindUntil + PROBATION }, now);
  }

  succeeded(key: number, now: number): void {
    if (this.#records.size === 0) return;
    const record = this.#records.get(key, now);
    if (record === undefined) return;
    if (record.excess <= 1) this.#records.delete(key);
    else this.#records.set(key, { ...record, excess: record.excess - 1 }, now);
  }
}
