/** A pool: the proxies of one NAT class that wait for a client, in the order in which they are taken. */

import { Demand } from "./policy/demand.ts";
import type { Candidate } from "./policy/matching-policy.ts";
import type { PoolName } from "./policy/nat-classes.ts";

/** What can wait in a pool. */
export interface Pooled extends Candidate {
  /** Belongs to the pool: its place there, -1 outside. */
  poolIndex: number;
  /** Belongs to the pool: greater than that of all who came before. */
  poolTicket: number;
}

/** Entries that are passed over at most, in search of one that is not refused. */
const MOST_PASSED_OVER = 8;

/** A binary min-heap whose entries know their place, so that one that hangs up leaves in O(log n). */
export class Pool<Entry extends Pooled> {
  readonly name: PoolName;
  readonly #comesBefore: (one: Candidate, other: Candidate) => boolean;
  readonly #heap: Entry[] = [];
  /** What clients ask of this pool. */
  readonly demand = new Demand();
  #lastTicket = 0;

  constructor(name: PoolName, comesBefore: (one: Candidate, other: Candidate) => boolean) {
    this.name = name;
    this.#comesBefore = comesBefore;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(entry: Entry): void {
    entry.poolTicket = ++this.#lastTicket;
    this.#insert(entry);
  }

  /** Takes out the entry whose turn it is; undefined if the pool is empty. */
  take(): Entry | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** As `take`, but passes over entries that are refused; undefined if only such are found soon. */
  takeUnless(refused: (entry: Entry) => boolean): Entry | undefined {
    const passedOver: Entry[] = [];
    let taken = this.take();
    while (taken !== undefined && refused(taken)) {
      passedOver.push(taken);
      taken = passedOver.length < MOST_PASSED_OVER ? this.take() : undefined;
    }
    for (const entry of passedOver) this.#insert(entry);
    return taken;
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
      return (
        entry.poolIndex === index && (parent === undefined || !this.#comesBefore(entry, parent))
      );
    });
  }

  #insert(entry: Entry): void {
    this.#heap.push(entry);
    entry.poolIndex = this.#heap.length - 1;
    this.#siftUp(entry.poolIndex);
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
      if (parent === undefined || this.#comesBefore(parent, entry)) break;
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
      if (sibling !== undefined && this.#comesBefore(sibling, child)) {
        child = sibling;
        childIndex++;
      }
      if (this.#comesBefore(entry, child)) break;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(entry, index);
  }
}
