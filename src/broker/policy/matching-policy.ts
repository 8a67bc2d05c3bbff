/** What the matchmaker asks and does not decide itself: who waits where, who is taken, and when a wait ends. */

import type { NatType } from "../../messages/nat-type.ts";
import { POOL_OF_PROXY, type PoolName, POOLS_FOR_CLIENT } from "./nat-classes.ts";

/** How long a poll waits for a client in the reference broker, in ms. */
export const PROXY_DEADLINE = 10_000;

/** How long a client waits there for the answer of the proxy it was matched with, in ms. */
export const CLIENT_DEADLINE = 5_000;

/** What is known of a proxy that waits. */
export interface Candidate {
  /** How many clients it serves already. */
  readonly clients: number;
  /** Greater than that of all who came before. */
  readonly poolTicket: number;
}

/** A matching policy is a value: it keeps nothing, and is asked for every poll and every offer. */
export interface MatchingPolicy {
  /** Where a proxy waits, by its NAT type. */
  readonly poolOfProxy: Readonly<Record<NatType, PoolName>>;
  /** Where a client looks for a proxy, by its NAT type, in this order. */
  readonly poolsForClient: Readonly<Record<NatType, readonly PoolName[]>>;
  /** Whether one proxy of a pool is taken before another: an order without ties. */
  readonly comesBefore: (one: Candidate, other: Candidate) => boolean;
  /** How long a poll waits for a client, in ms: whole seconds. */
  readonly proxyDeadline: number;
  /** How long a client waits for an answer, in ms. */
  readonly clientDeadline: number;
}

/**
 * The reference broker's policy. Who serves the fewest clients comes first. Among equals its order is an accident of its
 * heap; here it is who has waited longest: otherwise, in a large pool, nearly everybody would wait in vain and poll
 * again, while the last to come were taken.
 */
export const REFERENCE_POLICY: MatchingPolicy = {
  poolOfProxy: POOL_OF_PROXY,
  poolsForClient: POOLS_FOR_CLIENT,
  comesBefore: (one, other) =>
    one.clients === other.clients ? one.poolTicket < other.poolTicket : one.clients < other.clients,
  proxyDeadline: PROXY_DEADLINE,
  clientDeadline: CLIENT_DEADLINE,
};
