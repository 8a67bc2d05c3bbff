/** A matching policy at work: its parts and what they remember, asked at a few moments of every match. */

import type { Address } from "../../messages/address.ts";
import type { Poll } from "../broker.ts";
import type { Client } from "../client.ts";
import type { BrokerEvents } from "../events.ts";
import type { Match } from "../match.ts";
import type { Pool } from "../pool.ts";
import { AdaptiveInterval } from "./adaptive-interval.ts";
import type { MatchingPolicy } from "./matching-policy.ts";
import { easiestFirst, type PoolName, type PoolsForClient } from "./nat-classes.ts";
import { NatMemory } from "./nat-memory.ts";
import { Retries } from "./retries.ts";
import { UnreliableProxies } from "./unreliable-proxies.ts";

/** The country of an address; undefined: it is unknown. */
export type CountryOf = (address: Address) => string | undefined;

/**
 * The share of its reserve above which a pool has proxies for clients that could do with harder ones. Intervals that follow
 * demand hold a pool near its reserve. With 1 instead of 0.5 a quiet day gains a third as much, with less nothing more.
 */
const SURPLUS = 0.5;

export interface ReachParts {
  readonly policy: MatchingPolicy;
  readonly events: BrokerEvents;
  /** Addresses that each part may remember. */
  readonly maxEntries: number;
  readonly countryOf: CountryOf;
  /** The number that stands for an address. */
  readonly keyOf: (address: Address) => number;
  /** The poll interval that is configured for a pool, in ms. */
  readonly intervalOf: (pool: PoolName) => number;
}

export class Reach {
  readonly #policy: MatchingPolicy;
  readonly #events: BrokerEvents;
  readonly #countryOf: CountryOf;
  readonly #keyOf: (address: Address) => number;
  readonly #intervalOf: (pool: PoolName) => number;
  readonly #easiestFirst: PoolsForClient | undefined;
  readonly #intervals: Readonly<Record<PoolName, AdaptiveInterval>> | undefined;
  readonly #silent: UnreliableProxies | undefined;
  readonly #unreachable: UnreliableProxies | undefined;
  readonly #retries: Retries | undefined;
  readonly #natMemory: NatMemory | undefined;

  constructor({ policy, events, maxEntries, countryOf, keyOf, intervalOf }: ReachParts) {
    this.#policy = policy;
    this.#events = events;
    this.#countryOf = countryOf;
    this.#keyOf = keyOf;
    this.#intervalOf = intervalOf;
    if (policy.shareSurplus) this.#easiestFirst = easiestFirst(policy.poolsForClient);
    const bounds = policy.adaptiveInterval;
    if (bounds !== undefined) {
      this.#intervals = {
        open: new AdaptiveInterval(bounds),
        moderate: new AdaptiveInterval(bounds),
        strict: new AdaptiveInterval(bounds),
      };
    }
    if (policy.silentProxiesLast) this.#silent = new UnreliableProxies(maxEntries);
    if (policy.rememberNat > 0) this.#natMemory = new NatMemory(policy.rememberNat, maxEntries);
    if (policy.learnFromRetries) {
      const unreachable = new UnreliableProxies(maxEntries);
      this.#unreachable = unreachable;
      this.#retries = new Retries(maxEntries, {
        onFailed: (proxy, now) => {
          unreachable.failed(proxy, now);
          events.policyActed("retry-noticed");
        },
        onWorked: (proxy, now) => unreachable.succeeded(proxy, now),
      });
    }
  }

  /** A poll comes: where its proxy waits. */
  poolOf({ nat }: Poll, key: number, now: number): PoolName {
    const pool = this.#policy.poolOfProxy[nat];
    if (this.#natMemory === undefined) return pool;
    const remembered = this.#natMemory.poolOf(key, nat, pool, now);
    if (remembered !== pool) this.#events.policyActed("nat-remembered");
    return remembered;
  }

  /** A poll comes: whether its proxy is taken after its peers. */
  isUnreliable(key: number, now: number): boolean {
    return (
      this.#silent?.isBehind(key, now) === true || this.#unreachable?.isBehind(key, now) === true
    );
  }

  /** A poll comes: the interval in force, in ms; undefined: the configured one. */
  adaptedInterval(pool: Pool<Match>, now: number): number | undefined {
    const base = this.#intervalOf(pool.name);
    return this.#intervals?.[pool.name].inForce(base, pool.size, this.#reserve(pool, now), now);
  }

  /** A poll comes: the interval that its proxy is told, in ms, while `adapted` is in force. */
  intervalToTell(pool: PoolName, adapted: number): number {
    return this.#intervals?.[pool].spread(adapted) ?? adapted;
  }

  /** A poll has waited as long as in a pool in surplus: whether it waits on. */
  keepsWaiting({ pool }: Match, now: number): boolean {
    if (pool.size > this.#reserve(pool, now)) return false;
    this.#events.policyActed("poll-kept");
    return true;
  }

  /**
   * An offer comes, before it looks for a proxy in these pools. It counts as demand where it looks if no pool has a surplus:
   * otherwise what is shared of a surplus would be asked back from more proxies.
   */
  offerCame(client: Client, pools: Readonly<Record<PoolName, Pool<Match>>>): void {
    const { address, nat } = client.offer;
    if (this.#retries !== undefined && address !== undefined) {
      client.addressKey = this.#keyOf(address);
      const lesson = this.#retries.offerCame(client.addressKey, nat, client.since);
      if (lesson !== undefined) {
        client.nat = lesson.nat;
        client.failedWith = lesson.failedWith;
        if (lesson.nat !== nat) this.#events.policyActed("client-stricter");
      }
    }
    for (const name of this.#policy.poolsForClient[client.nat]) {
      const pool = pools[name];
      pool.demand.offerCame(client.since);
      if (pool.size > 0) break;
    }
  }

  /** An offer comes: the pools where its client looks for a proxy, in this order. */
  poolsFor(
    { nat, since }: Client,
    pools: Readonly<Record<PoolName, Pool<Match>>>,
  ): readonly PoolName[] {
    const hardestFirst = this.#policy.poolsForClient[nat];
    if (this.#easiestFirst === undefined || hardestFirst.length === 1) return hardestFirst;
    const [first] = this.#easiestFirst[nat];
    if (first === undefined) return hardestFirst;
    if (pools[first].size <= SURPLUS * this.#reserve(pools[first], since)) return hardestFirst;
    this.#events.policyActed("surplus-shared");
    return this.#easiestFirst[nat];
  }

  /** An offer comes: which proxies its client should not get while there are others; undefined: all will do. */
  unsuitableFor({ offer, failedWith, match }: Client): ((match: Match) => boolean) | undefined {
    const asked = match?.addressKey;
    const country = this.#policy.avoidSameCountry ? this.#country(offer.address) : undefined;
    if (asked === undefined && failedWith === undefined && country === undefined) return undefined;
    return ({ addressKey, poll }) => {
      const isUnsuitable =
        addressKey === failedWith ||
        addressKey === asked ||
        (country !== undefined && this.#country(poll.address) === country);
      if (isUnsuitable) this.#events.policyActed("proxy-passed-over");
      return isUnsuitable;
    };
  }

  /**
   * A proxy is silent: whether another of this pool may be asked. There must be more than the clients need who come
   * while this one waits: a second proxy for one client must not be the only one of another.
   */
  hasToSpare({ size, demand }: Pool<Match>, now: number): boolean {
    return size > demand.expectedIn(this.#policy.clientDeadline, now);
  }

  /** A match ends: its proxy answered, and was the first to do so. */
  answered(client: Client, { addressKey }: Match, now: number): void {
    this.#silent?.succeeded(addressKey, now);
    if (client.addressKey !== 0) this.#retries?.answered(client.addressKey, addressKey, now);
  }

  /** A match ends: its proxy was silent, and another one has answered its offer. */
  overtaken(match: Match, now: number): void {
    this.#unanswered(match, now);
  }

  /**
   * A match ends: its proxy had all the time there is, and nobody answered. Where second proxies are asked, only an offer
   * that another one answered shows who is silent: anybody can make offers that no proxy can answer, and could so put
   * honest proxies behind his own.
   */
  timedOut(match: Match, now: number): void {
    if (this.#policy.secondChance === undefined) this.#unanswered(match, now);
  }

  #unanswered({ addressKey }: Match, now: number): void {
    if (this.#silent === undefined) return;
    this.#silent.failed(addressKey, now);
    this.#events.policyActed("proxy-silent");
  }

  #reserve(pool: Pool<Match>, now: number): number {
    const { leastReserve } = this.#policy;
    return pool.demand.reserve(leastReserve, this.#intervalOf(pool.name), now);
  }

  #country(address: Address | undefined): string | undefined {
    return address === undefined ? undefined : this.#countryOf(address);
  }
}
