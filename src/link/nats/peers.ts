/** The other nodes of the cluster, and how many proxies each says it has. */

import type { PoolName } from "../../broker/policy/nat-classes.ts";

/** A node that has not said anything for so long is forgotten, in ms: three presences have not come. */
const SILENCE = 3_500;

/** Other nodes that are known at most. */
const MAX_PEERS = 256;

/** Proxies of a node that count at most: as many as may wait by default. */
const MAX_COUNT = 100_000;

/** How many proxies wait in each pool. */
export type PoolCounts = Record<PoolName, number>;

const NOBODY: PoolCounts = { open: 0, moderate: 0, strict: 0 };

/** Another node. */
export interface Peer {
  readonly id: string;
  /** What it said last, less what has been asked of it since. A hint: only its reply is the truth. */
  readonly counts: PoolCounts;
  saidAt: number;
}

export class Peers {
  readonly #peers = new Map<string, Peer>();

  /** How many other nodes there are. */
  get size(): number {
    return this.#peers.size;
  }

  /** How many proxies a node is believed to have in each pool. */
  countsOf(id: string): Readonly<PoolCounts> {
    return this.#peers.get(id)?.counts ?? NOBODY;
  }

  /** A node says what it has. Returns whether it was not known. */
  note(id: string, { open, moderate, strict }: PoolCounts, now: number): boolean {
    const known = this.#peers.get(id);
    if (known === undefined && this.#peers.size >= MAX_PEERS) return false;
    const counts = {
      open: Math.min(open, MAX_COUNT),
      moderate: Math.min(moderate, MAX_COUNT),
      strict: Math.min(strict, MAX_COUNT),
    };
    if (known === undefined) this.#peers.set(id, { id, counts, saidAt: now });
    else {
      known.saidAt = now;
      Object.assign(known.counts, counts);
    }
    return known === undefined;
  }

  forget(id: string): void {
    this.#peers.delete(id);
  }

  forgetAll(): void {
    this.#peers.clear();
  }

  /** Forgets nodes that are silent. */
  expire(now: number): void {
    for (const { id, saidAt } of this.#peers.values()) {
      if (now - saidAt > SILENCE) this.#peers.delete(id);
    }
  }

  /** Whether any node says that it has a proxy in this pool. */
  hasAny(pool: PoolName): boolean {
    for (const { counts } of this.#peers.values()) if (counts[pool] > 0) return true;
    return false;
  }

  /**
   * Draws a node that has a proxy in this pool, each by its share of the proxies. `isExcluded`: nodes to leave out.
   * `random`: a number from 0 up to 1.
   */
  draw(
    pool: PoolName,
    isExcluded: (id: string) => boolean,
    random: () => number,
  ): Peer | undefined {
    let total = 0;
    for (const { id, counts } of this.#peers.values()) if (!isExcluded(id)) total += counts[pool];
    if (total === 0) return undefined;
    let left = Math.floor(random() * total);
    for (const peer of this.#peers.values()) {
      if (isExcluded(peer.id)) continue;
      left -= peer.counts[pool];
      if (left < 0) return peer;
    }
    return undefined;
  }
}
