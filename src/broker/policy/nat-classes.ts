/** The classes of proxies by how hard they are to reach, and who can reach which. */

import type { NatType } from "../../messages/nat-type.ts";

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

/** Where a client looks for a proxy, by its NAT type, in this order. */
export type PoolsForClient = Readonly<Record<NatType, readonly PoolName[]>>;

/**
 * Who can reach strict proxies takes those first, so
 * that the open ones are left for clients that can reach no others.
 */
export const POOLS_FOR_CLIENT: PoolsForClient = {
  unrestricted: ["strict", "moderate", "open"],
  open: ["strict", "moderate", "open"],
  moderate: ["moderate", "open"],
  restricted: ["open"],
  strict: ["open"],
  unknown: ["open"],
};

/** The same pools in the reverse order. */
export function easiestFirst(pools: PoolsForClient): PoolsForClient {
  return {
    unrestricted: pools.unrestricted.toReversed(),
    open: pools.open.toReversed(),
    moderate: pools.moderate.toReversed(),
    restricted: pools.restricted.toReversed(),
    strict: pools.strict.toReversed(),
    unknown: pools.unknown.toReversed(),
  };
}
