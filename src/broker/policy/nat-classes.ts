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
