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
  /** Clients that wait for a proxy. */
  readonly waitingClients: number;
  /** The poll interval of each pool at this moment, in ms. */
  readonly pollIntervals: Readonly<Record<PoolName, number>>;
}

/** `load` is asked at every scrape. */
export function registerLoadFamilies(registry: Registry, load: () => Load): void {
  const registers = [registry];
  // Families are collected in the order in which they were registered: the first sets all.
  const waiting = new Gauge({
    name: `${NAMESPACE}waiting_proxies`,
    help: "The number of proxies that wait for a client",
    labelNames: ["pool", "type"],
    registers,
    collect() {
      const { waitingByPoolAndType, pollIntervals, ...now } = load();
      for (const pool of POOL_NAMES) {
        interval.set({ pool }, pollIntervals[pool] / 1000);
        for (const type of PROXY_TYPES)
          waiting.set({ pool, type }, waitingByPoolAndType[pool][type]);
      }
      matchesInFlight.set(now.matchesInFlight);
      waitingClients.set(now.waitingClients);
    },
  });
  const matchesInFlight = new Gauge({
    name: `${NAMESPACE}matches_in_flight`,
    help: "The number of clients that wait for the answer of their proxy",
    registers,
  });
  const waitingClients = new Gauge({
    name: `${NAMESPACE}waiting_clients`,
    help: "The number of clients that wait for a proxy",
    registers,
  });
  const interval = new Gauge({
    name: `${NAMESPACE}poll_interval_seconds`,
    help: "How long proxies are told to leave between two polls",
    labelNames: ["pool"],
    registers,
  });
}
