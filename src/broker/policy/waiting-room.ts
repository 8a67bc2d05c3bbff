/** Where an offer waits that finds no proxy: many come within seconds. */

import { NAT_TYPES, type NatType } from "../../messages/nat-type.ts";
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import { DeadlineQueue, type Expiring } from "../deadline-queue.ts";
import type { MatchingPolicy } from "./matching-policy.ts";
import { POOL_NAMES, type PoolName } from "./nat-classes.ts";

/** The place of one client. */
export class Place implements Expiring<Place> {
  readonly client: Client;
  readonly line: Line;
  deadline = 0;
  earlier: Place | undefined = undefined;
  later: Place | undefined = undefined;

  constructor(client: Client, line: Line) {
    this.client = client;
    this.line = line;
  }
}

/** Clients that can use the same pools, in the order in which they came. */
type Line = DeadlineQueue<Place>;

/**
 * A proxy that comes serves the client that has waited longest, of those that have the fewest other pools: a client that
 * can use only open proxies goes first at an open proxy, since the others may yet be served by proxies that it can't use.
 */
export class WaitingRoom {
  readonly #maxClients: number;
  readonly #lineOf: ReadonlyMap<NatType, Line>;
  /** The lines that a proxy of each pool can serve, in the order in which it does. */
  readonly #linesAt: Readonly<Record<PoolName, readonly Line[]>>;
  #size = 0;

  /** `onDue` is called for a client that has waited long enough, and has to remove it. */
  constructor(clock: Clock, policy: MatchingPolicy, onDue: (client: Client) => void) {
    const { clientWait, maxWaitingClients, poolsForClient } = policy;
    this.#maxClients = clientWait > 0 ? maxWaitingClients : 0;
    /** By the names of their pools. */
    const lines = new Map<string, Line>();
    const lineOf = new Map<NatType, Line>();
    for (const nat of NAT_TYPES) {
      const pools = poolsForClient[nat].join();
      const line =
        lines.get(pools) ??
        new DeadlineQueue<Place>(clock, clientWait, ({ client }) => onDue(client));
      lines.set(pools, line);
      lineOf.set(nat, line);
    }
    this.#lineOf = lineOf;
    const narrowestFirst = NAT_TYPES.toSorted(
      (one, other) => poolsForClient[one].length - poolsForClient[other].length,
    );
    const linesAt = (pool: PoolName) => {
      const able = narrowestFirst.filter((nat) => poolsForClient[nat].includes(pool));
      return [...new Set(able.map((nat) => this.#lineFor(nat)))];
    };
    this.#linesAt = {
      open: linesAt("open"),
      moderate: linesAt("moderate"),
      strict: linesAt("strict"),
    };
  }

  /** How many clients wait. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#maxClients;
  }

  /** Any client that waits. */
  get any(): Client | undefined {
    for (const line of this.#lineOf.values()) {
      if (line.first !== undefined) return line.first.client;
    }
    return undefined;
  }

  /** Lets a client wait, from when its offer came. */
  add(client: Client): void {
    const line = this.#lineFor(client.nat);
    client.place = new Place(client, line);
    line.add(client.place, client.since);
    this.#size++;
  }

  /** Takes out the client that a proxy of this pool serves next; undefined if nobody waits for one. */
  takeFor(pool: PoolName): Client | undefined {
    if (this.#size === 0) return undefined;
    for (const { first } of this.#linesAt[pool]) {
      if (first === undefined) continue;
      this.remove(first.client);
      return first.client;
    }
    return undefined;
  }

  /** Takes out a client, if it waits. */
  remove(client: Client): void {
    const { place } = client;
    if (place === undefined) return;
    place.line.remove(place);
    client.place = undefined;
    this.#size--;
  }

  /** Calls `expect` for every invariant. `isEmpty`: whether nobody waits in a pool. */
  check(
    expect: (invariant: string, holds: boolean) => void,
    isEmpty: (pool: PoolName) => boolean,
  ): void {
    let size = 0;
    for (const line of new Set(this.#lineOf.values())) {
      for (const place of line) {
        size++;
        expect("whoever has a place knows it", place.client.place === place);
        expect("whoever has a place is in flight", place.client.queue !== undefined);
      }
    }
    expect("the waiting room knows how many wait", size === this.#size);
    for (const pool of POOL_NAMES) {
      const isWanted = this.#linesAt[pool].some(({ first }) => first !== undefined);
      expect("no client waits for a proxy that is there", !isWanted || isEmpty(pool));
    }
  }

  #lineFor(nat: NatType): Line {
    const line = this.#lineOf.get(nat);
    if (line === undefined) throw new Error(`there is no line for clients of NAT type ${nat}`);
    return line;
  }
}
