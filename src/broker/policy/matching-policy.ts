/** What the matchmaker asks and does not decide itself: who waits where, who is taken, and when a wait ends. */

import type { NatType } from "../../messages/nat-type.ts";
import { POOL_OF_PROXY, type PoolName, POOLS_FOR_CLIENT } from "./nat-classes.ts";

/** How long a poll waits for a client in the reference broker, in ms. */
export const PROXY_DEADLINE = 10_000;

/** How long a client waits there for the answer of the proxy it was matched with, in ms. */
export const CLIENT_DEADLINE = 5_000;

/**
 * The longest that any policy may let a poll wait, in ms. Go proxies give up 30 s after a poll that has no response
 * header. Two seconds are for the network and a busy broker.
 */
export const LONGEST_PROXY_WAIT = 28_000;

/** What is known of a proxy that waits. */
export interface Candidate {
  /** How many clients it serves already. */
  readonly clients: number;
  /** Its address has left clients without an answer, or with one that led nowhere. */
  readonly unreliable: boolean;
  /** Greater than that of all who came before. */
  readonly poolTicket: number;
}

/** Between which values a poll interval may follow demand, in ms. */
export interface IntervalBounds {
  readonly least: number;
  readonly most: number;
}

/**
 * A matching policy is a value: it keeps nothing. `Reach` (reach.ts) has the memory that some of its parts need, and
 * each part has a file of its own in this folder.
 */
export interface MatchingPolicy {
  /** Where a proxy waits, by its NAT type. */
  readonly poolOfProxy: Readonly<Record<NatType, PoolName>>;
  /** Where a client looks for a proxy, by its NAT type, in this order. */
  readonly poolsForClient: Readonly<Record<NatType, readonly PoolName[]>>;
  /** Whether one proxy of a pool is taken before another: an order without ties. */
  readonly comesBefore: (one: Candidate, other: Candidate) => boolean;
  /** How long a poll waits for a client, in ms: whole seconds. */
  readonly proxyDeadline: number;
  /** How long a client waits for an answer, in ms, from when its offer came. */
  readonly clientDeadline: number;

  /** How long a poll waits while its pool is scarce, in ms: whole seconds, from `proxyDeadline` to 28 s. */
  readonly proxyWait: number;
  /**
   * The least that a proxy is told to wait before its next poll, in ms. Go proxies take 0 for their own 5 s. 0: as the
   * reference does.
   */
  readonly leastNextPoll: number;
  /** How long an offer that finds no proxy waits for one, in ms, less than `clientDeadline`; 0: it is denied at once. */
  readonly clientWait: number;
  /** How many offers may do so at once. */
  readonly maxWaitingClients: number;
  /** Undefined: poll intervals are as configured. */
  readonly adaptiveInterval: IntervalBounds | undefined;
  /**
   * After how many ms without an answer a second proxy is asked, if there are enough; less than `clientDeadline`.
   * Undefined: never.
   */
  readonly secondChance: number | undefined;
  /** Whether addresses whose proxies do not answer are taken after their peers. */
  readonly silentProxiesLast: boolean;
  /** Whether a client that comes back soon after an answer counts as one that could not connect. */
  readonly learnFromRetries: boolean;
  /** For how many ms a proxy of an unknown NAT type counts as what its address was before; 0: it does not. */
  readonly rememberNat: number;
  /** Whether a client gets a proxy of another country if there is one. */
  readonly avoidSameCountry: boolean;
}

/** Who serves the fewest clients comes first, and among equals who has waited longest. */
function fewestClientsFirst(one: Candidate, other: Candidate): boolean {
  return one.clients === other.clients
    ? one.poolTicket < other.poolTicket
    : one.clients < other.clients;
}

/**
 * The reference broker's policy. Who serves the fewest clients comes first. Among equals its order is an accident of its
 * heap; here it is who has waited longest: otherwise, in a large pool, nearly everybody would wait in vain and poll
 * again, while the last to come were taken.
 */
export const REFERENCE_POLICY: MatchingPolicy = {
  poolOfProxy: POOL_OF_PROXY,
  poolsForClient: POOLS_FOR_CLIENT,
  comesBefore: fewestClientsFirst,
  proxyDeadline: PROXY_DEADLINE,
  clientDeadline: CLIENT_DEADLINE,
  proxyWait: PROXY_DEADLINE,
  leastNextPoll: 0,
  clientWait: 0,
  maxWaitingClients: 0,
  adaptiveInterval: undefined,
  secondChance: undefined,
  silentProxiesLast: false,
  learnFromRetries: false,
  rememberNat: 0,
  avoidSameCountry: false,
};

/** The policy that is in force unless the operator says otherwise: it matches more people with the same proxies. */
export const REACH_POLICY: MatchingPolicy = {
  ...REFERENCE_POLICY,
  comesBefore: (one, other) =>
    one.unreliable === other.unreliable ? fewestClientsFirst(one, other) : other.unreliable,
  proxyWait: 25_000,
  leastNextPoll: 1_000,
  clientWait: 3_000,
  maxWaitingClients: 5_000,
  adaptiveInterval: { least: 1_000, most: 60_000 },
  secondChance: 2_000,
  silentProxiesLast: true,
};
