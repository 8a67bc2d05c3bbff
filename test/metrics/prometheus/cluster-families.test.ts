import { expect, test } from "bun:test";

import { DEFAULT_POLL_INTERVALS } from "../../../src/broker/policy/poll-intervals.ts";
import { PrometheusMetrics } from "../../../src/metrics/prometheus/prometheus-metrics.ts";
import { readExposition } from "./exposition-reader.ts";

const NOBODY = { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0, unknown: 0 };

test("a node in a cluster shows it, and one in none shows nothing", async () => {
  const metrics = new PrometheusMetrics({
    version: "1.2.3",
    load: () => ({
      waitingByPoolAndType: { open: NOBODY, moderate: NOBODY, strict: NOBODY },
      matchesInFlight: 0,
      waitingClients: 0,
      pollIntervals: DEFAULT_POLL_INTERVALS,
    }),
  });
  const families = async () =>
    readExposition(await metrics.exposition()).filter(({ name }) => name.includes("_cluster_"));
  try {
    expect(await families()).toEqual([]);
    const { cluster } = metrics;
    cluster.connected(false);
    cluster.connected(true);
    cluster.nodes(2);
    cluster.asked("given");
    cluster.served(false);
    cluster.answered(true);
    cluster.strayAnswer(false);
    cluster.ignored("forged");
    const shown = (await families()).map(({ name, samples }) => [
      name,
      samples.map(({ labels, value }) => ({ labels, value })),
    ]);
    expect(Object.fromEntries(shown)).toEqual({
      snowflake_cluster_connected: [{ labels: {}, value: 1 }],
      snowflake_cluster_nodes: [{ labels: {}, value: 3 }],
      snowflake_rounded_cluster_asked_total: [{ labels: { outcome: "given" }, value: 8 }],
      snowflake_rounded_cluster_served_total: [{ labels: { outcome: "nobody" }, value: 8 }],
      snowflake_rounded_cluster_answers_total: [{ labels: { outcome: "delivered" }, value: 8 }],
      snowflake_rounded_cluster_stray_answers_total: [{ labels: { outcome: "nobody" }, value: 8 }],
      snowflake_cluster_ignored_messages_total: [{ labels: { reason: "forged" }, value: 1 }],
    });
  } finally {
    metrics.close();
  }
});
