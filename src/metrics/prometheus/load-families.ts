/** What a broker is doing at this moment, for whoever draws it. */

import { Gauge, type Registry } from "prom-client";

import { POOL_NAMES, type PoolName } from "../../broker/policy/nat-classes.ts";
import { PROXY_TYPES, type ProxyType } from "../../messages/proxy-type.ts";
import { NAMESPACE } from "./counted-families.ts";

/** How busy the broker is. */
export interface Load {
  /** Proxies that wait for a client. */
  readonly waitingByPoolAndType: Readonly<Record<PoolName, Readonly<Record<ProxyType, number>>>>;
  /** Clients that wait for their proxy's answer. */
  readonly matchesInFlight: number;
}

/** `load` is asked at every scrape. */
export function registerLoadFamilies(registry: Registry, load: () => Load): void {
  const registers = [registry];
  // Families are collected in the order in which they were registered: the first sets both.
  const waiting = new Gauge({
    name: `${NAMESPACE}waiting_proxies`,
    help: "The number of proxies that wait for a client",
    labelNames: ["pool", "type"],
    registers,
    collect() {
      const { waitingByPoolAndType, matchesInFlight: clients } = load();
      for (const pool of POOL_NAMES) {
        for (const type of PROXY_TYPES)
          waiting.set({ pool, type }, waitingByPoolAndType[pool][type]);
      }
      matchesInFlight.set(clients);
    },
  });
  const matchesInFlight = new Gauge({
    name: `${NAMESPACE}matches_in_flight`,
    help: "The number of clients that wait for the answer of their proxy",
    registers,
  });
}
