/** What Prometheus is told of the cluster that a node is in. Where there is none, no family is shown. */

import { Gauge, type Registry } from "prom-client";

import type { ClusterEvents } from "../../link/nats/cluster-events.ts";
import { CountedFamilies, NAMESPACE } from "./counted-families.ts";

/** Whatever one client or proxy can move is rounded. */
export function clusterFamilies(registry: Registry): ClusterEvents {
  let isConnected: boolean | undefined;
  let others = 0;
  const connected = new Gauge({
    name: `${NAMESPACE}cluster_connected`,
    help: "Whether this node is connected to NATS: 1 or 0",
    registers: [],
    collect() {
      if (isConnected === undefined) this.remove();
      else this.set(isConnected ? 1 : 0);
    },
  });
  registry.registerMetric(connected);
  const nodes = new Gauge({
    name: `${NAMESPACE}cluster_nodes`,
    help: "The number of nodes that this node knows, itself included",
    registers: [],
    collect() {
      if (isConnected === undefined) this.remove();
      else this.set(others + 1);
    },
  });
  registry.registerMetric(nodes);

  const families = new CountedFamilies(registry);
  const asked = families.roundedCounter(
    "cluster_asked_total",
    "The number of times that another node was asked for a proxy",
    ["outcome"],
  );
  const served = families.roundedCounter(
    "cluster_served_total",
    "The number of times that another node asked for a proxy",
    ["outcome"],
  );
  const answers = families.roundedCounter(
    "cluster_answers_total",
    "The number of answers of other nodes' proxies for clients of this node",
    ["outcome"],
  );
  const strays = families.roundedCounter(
    "cluster_stray_answers_total",
    "The number of answers that were sent to all nodes because nobody waits for them here",
    ["outcome"],
  );
  const ignored = families.exactCounter(
    "cluster_ignored_messages_total",
    "The number of messages of the cluster that were ignored",
    ["reason"],
  );
  return {
    connected: (now) => (isConnected = now),
    nodes: (now) => (others = now),
    asked: (outcome) => asked.add({ outcome }),
    served: (isGiven) => served.add({ outcome: isGiven ? "given" : "nobody" }),
    answered: (isDelivered) => answers.add({ outcome: isDelivered ? "delivered" : "client-gone" }),
    strayAnswer: (isFound) => strays.add({ outcome: isFound ? "found" : "nobody" }),
    ignored: (reason) => ignored.add({ reason }),
  };
}
