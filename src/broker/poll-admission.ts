/** Which polls may wait, in which pool, and until when their addresses have to stay away. */

import { networkOf } from "../messages/address-network.ts";
import type { BridgeList } from "./bridge-list.ts";
import type { Poll } from "./broker.ts";
import type { BrokerEvents } from "./events.ts";
import type { LocalBrokerParts } from "./local-broker.ts";
import type { Match } from "./match.ts";
import { POOL_NAMES, type PoolName } from "./policy/nat-classes.ts";
import { PollAllowance } from "./policy/poll-allowance.ts";
import type { PollIntervals } from "./policy/poll-intervals.ts";
import type { Reach } from "./policy/reach.ts";
import { bridgeHostPolicy, coveringPolicy, type RelayPolicy } from "./policy/relay-policy.ts";
import type { Pool } from "./pool.ts";

/** What is decided of a poll when it comes. Times are in ms of the broker's clock. */
export type Admission =
  | {
      readonly kind: "admitted";
      readonly pool: Pool<Match>;
      /** Stands for the proxy's address in all limits. */
      readonly addressKey: number;
      readonly mayPollAt: number;
    }
  | { readonly kind: "too-soon"; readonly mayPollAt: number }
  /** The proxy is willing to reach other relays than ours. */
  | { readonly kind: "pattern-rejected" };

export type PollAdmissionParts = Pick<
  LocalBrokerParts,
  "allowedRelayPattern" | "bridges" | "hashAddress" | "ipv6Prefix" | "limits" | "pollIntervals"
> & {
  readonly events: BrokerEvents;
  readonly reach: Reach;
  readonly pools: Readonly<Record<PoolName, Pool<Match>>>;
};

export class PollAdmission {
  readonly #parts: PollAdmissionParts;
  readonly #allowances: Readonly<Record<PoolName, PollAllowance>>;
  #relayPolicy: RelayPolicy;

  constructor(parts: PollAdmissionParts) {
    this.#parts = parts;
    const allowance = (pool: PoolName) =>
      new PollAllowance(parts.pollIntervals[pool], parts.limits.rateLimitEntries);
    this.#allowances = {
      open: allowance("open"),
      moderate: allowance("moderate"),
      strict: allowance("strict"),
    };
    this.#relayPolicy = this.#policyFor(parts.bridges);
  }

  /** A poll comes now, whose wait began at `since`. */
  admit(poll: Poll, since: number, now: number): Admission {
    if (!this.#relayPolicy.accepts(poll.relayPattern)) return { kind: "pattern-rejected" };
    const { events, reach, pools, hashAddress, ipv6Prefix } = this.#parts;
    const address = poll.address?.reveal() ?? "";
    const wholeKey = hashAddress(address);
    events.pollAdmitted(poll, wholeKey);
    const network = poll.address === undefined ? "" : networkOf(poll.address, ipv6Prefix);
    const addressKey = network === address ? wholeKey : hashAddress(network);

    const name = reach.poolOf(poll, addressKey, now);
    const pool = pools[name];
    const allowance = this.#allowances[name];
    const adapted = reach.adaptedInterval(pool, now);
    const mustWaitUntil =
      poll.waited === undefined ? allowance.mustWaitUntil(addressKey, now, adapted) : undefined;
    if (mustWaitUntil !== undefined) return { kind: "too-soon", mayPollAt: mustWaitUntil };
    const told = adapted === undefined ? allowance.interval : reach.intervalToTell(name, adapted);
    allowance.note(addressKey, since, told);
    return { kind: "admitted", pool, addressKey, mayPollAt: since + told };
  }

  /** From now on proxies have to be willing to reach these bridges. */
  replaceBridges(bridges: BridgeList): void {
    this.#relayPolicy = this.#policyFor(bridges);
  }

  /** The configured poll interval of a pool, in ms. */
  intervalOf(pool: PoolName): number {
    return this.#allowances[pool].interval;
  }

  /** The configured poll intervals. */
  get pollIntervals(): PollIntervals {
    return this.#each((pool) => this.intervalOf(pool));
  }

  /** The poll interval of each pool at this moment: the configured one, or what a policy makes of it. */
  intervalsInForce(now: number): PollIntervals {
    const { reach, pools } = this.#parts;
    return this.#each((pool) => reach.adaptedInterval(pools[pool], now) ?? this.intervalOf(pool));
  }

  /** From now on polls are noted with these intervals; addresses already noted keep their deadlines. */
  replacePollIntervals(intervals: PollIntervals): void {
    for (const pool of POOL_NAMES) this.#allowances[pool].interval = intervals[pool];
  }

  #each(interval: (pool: PoolName) => number): PollIntervals {
    return { open: interval("open"), moderate: interval("moderate"), strict: interval("strict") };
  }

  #policyFor(bridges: BridgeList): RelayPolicy {
    const allowed = this.#parts.allowedRelayPattern;
    return allowed === undefined ? bridgeHostPolicy(bridges.hosts()) : coveringPolicy(allowed);
  }
}
