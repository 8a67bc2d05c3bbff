/** A pool: the proxies of one NAT class that wait for a client, the least loaded first. */

import type { NatType } from "../messages/nat-type.ts";

/** The classes of proxies, by how hard their NAT makes them to reach. */
export const POOL_NAMES = ["open", "moderate", "strict"] as const;

export type PoolName = (typeof POOL_NAMES)[number];

/** Where a proxy waits, by its NAT type. */
export const POOL_OF_PROXY: Readonly<Record<NatType, PoolName>> = {
  unrestricted: "open",
  open: "open",
  moderate: "moderate",
  restricted: "strict",
  strict: "strict",
  unknown: "strict",
};

/**
 * Where a client looks for a proxy, by its NAT type, in this order. Who can reach strict proxies takes those first, so
 * that the open ones are left for clients that can reach no others.
 */
export const POOLS_FOR_CLIENT: Readonly<Record<NatType, readonly PoolName[]>> = {
  unrestricted: ["strict", "moderate", "open"],
  open: ["strict", "moderate", "open"],
  moderate: ["moderate", "open"],
  restricted: ["open"],
  strict: ["open"],
  unknown: ["open"],
};

/** What can wait in a pool. */
export interface Pooled {
  /** How many clients it serves already. */
  readonly clients: number;
  /** Belongs to the pool: its place there, -1 outside. */
  poolIndex: number;
  /** Belongs to the pool: greater than that of all who came before. */
  poolTicket: number;
}

/**
 * A binary min-heap whose entries know their place, so that one that hangs up leaves in O(log n). Who serves the fewest
 * clients comes first, and among equals who has waited longest: otherwise, in a large pool, nearly everybody would wait
 * in vain and poll again, while the last to come were taken.
 */
export class Pool<Entry extends Pooled> {
  readonly #heap: Entry[] = [];
  #lastTicket = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(entry: Entry): void {
    this.#heap.push(entry);
    entry.poolTicket = ++this.#lastTicket;
    entry.poolIndex = this.#heap.length - 1;
    this.#siftUp(entry.poolIndex);
  }

  /** Takes out the entry whose turn it is; undefined if the pool is empty. */
  take(): Entry | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out an entry, which must be in this pool. */
  remove(entry: Entry): void {
    const index = entry.poolIndex;
    const last = this.#heap.pop();
    entry.poolIndex = -1;
    if (last === undefined || last === entry) return;
    this.#place(last, index);
    this.#siftDown(index);
    this.#siftUp(last.poolIndex);
  }

  /** The entries, in no order that means anything. */
  [Symbol.iterator](): Iterator<Entry> {
    return this.#heap[Symbol.iterator]();
  }

  /** Whether every entry knows its place and none comes before its parent. */
  isConsistent(): boolean {
    return this.#heap.every((entry, index) => {
      const parent = this.#heap[(index - 1) >> 1];
      return entry.poolIndex === index && (parent === undefined || parent.clients <= entry.clients);
    });
  }

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.poolIndex = index;
  }

  #siftUp(index: number): void {
    const entry = this.#heap[index];
    if (entry === undefined) return;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || comesBefore(parent, entry)) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(entry, index);
  }

  #siftDown(index: number): void {
    const entry = this.#heap[index];
    if (entry === undefined) return;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#heap[childIndex];
      const sibling = this.#heap[childIndex + 1];
      if (child === undefined) break;
      if (sibling !== undefined && comesBefore(sibling, child)) {
        child = sibling;
        childIndex++;
      }
      if (comesBefore(entry, child)) break;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(entry, index);
  }
}

function comesBefore(one: Pooled, other: Pooled): boolean {
  return one.clients === other.clients
    ? one.poolTicket < other.poolTicket
    : one.clients < other.clients;
}
