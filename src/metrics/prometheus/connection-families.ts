/** What Prometheus is told of connections. */

import type { Registry } from "prom-client";

import { BOUNDS } from "../../http/limits.ts";
import type { ConnectionEvents } from "../../http/server.ts";
import { CountedFamilies } from "./counted-families.ts";
import type { EventLoopLag } from "./event-loop-lag.ts";

/** Reasons of failed handshakes that are told apart; the TLS library knows some hundreds. */
const MOST_REASONS = 32;

/** How many connections there are, which bounds struck, and why TLS handshakes failed; names begin with `namespace`. */
export function connectionFamilies(
  registry: Registry,
  namespace: string,
  lag: EventLoopLag,
): ConnectionEvents {
  const families = new CountedFamilies(registry, namespace);
  const connections = families.gauge("connections", "The number of connections over TCP", []);
  const bounds = families.exactCounter(
    "connection_bounds_total",
    "The number of times that a bound of connections and requests struck",
    ["bound"],
  );
  const failures = families.exactCounter(
    "tls_handshake_failures_total",
    "The number of TLS handshakes that failed, by the reason that the TLS library gives",
    ["reason"],
  );
  connections.add({}, 0);
  for (const bound of BOUNDS) bounds.add({ bound }, 0);
  const reasons = new Set<string>();
  return {
    opened: () => connections.add({}),
    closed: () => connections.add({}, -1),
    struck: (bound) => bounds.add({ bound }),
    worked: () => lag.worked(),
    handshakeFailed(reason) {
      if (reasons.size < MOST_REASONS) reasons.add(reason);
      failures.add({ reason: reasons.has(reason) ? reason : "other" });
    },
  };
}
