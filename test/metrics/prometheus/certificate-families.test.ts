import { expect, test } from "bun:test";

import { DEFAULT_POLL_INTERVALS } from "../../../src/broker/policy/poll-intervals.ts";
import { PrometheusMetrics } from "../../../src/metrics/prometheus/prometheus-metrics.ts";
import { RemoteFigures } from "../../../src/metrics/remote-figures.ts";
import { readExposition } from "./exposition-reader.ts";

const NOBODY = { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0, unknown: 0 };

const FAMILIES: ReadonlySet<string> = new Set([
  "snowflake_certificate_expiry_timestamp_seconds",
  "snowflake_certificate_renewals_total",
]);

const EXPIRY = /^# HELP snowflake_certificate_expiry_timestamp_seconds .*\n# TYPE \S+ gauge\n/;

test.each([
  [
    "one process for all",
    () =>
      new PrometheusMetrics({
        version: "1.2.3",
        load: () => ({
          waitingByPoolAndType: { open: NOBODY, moderate: NOBODY, strict: NOBODY },
          matchesInFlight: 0,
          waitingClients: 0,
          pollIntervals: DEFAULT_POLL_INTERVALS,
        }),
      }),
  ],
  [
    "an http-frontend",
    () => new RemoteFigures({ connected: false, page: async () => ({ kind: "unavailable" }) }),
  ],
])("%s shows its certificate's expiry and how its orders end", async (_, make) => {
  const figures = make();
  const { certificates } = figures;
  try {
    expect(await figures.exposition(FAMILIES)).toBe("");

    certificates.served({ notAfter: Date.UTC(2026, 7, 1, 12, 34, 56) });
    const text = await figures.exposition(FAMILIES);
    expect(text).toMatch(EXPIRY);
    expect(text).toEndWith("\nsnowflake_certificate_expiry_timestamp_seconds 1.785587696e+09\n");
    certificates.served({ notAfter: Date.UTC(2026, 10, 1) });
    expect(await figures.exposition(FAMILIES)).toEndWith(
      "\nsnowflake_certificate_expiry_timestamp_seconds 1.7934912e+09\n",
    );

    certificates.ordersBegin();
    certificates.orderEnded("failure");
    certificates.orderEnded("failure");
    const [, renewals] = readExposition((await figures.exposition(FAMILIES)) ?? "");
    expect(renewals).toMatchObject({
      name: "snowflake_certificate_renewals_total",
      type: "counter",
      samples: [
        { labels: { outcome: "failure" }, value: 2 },
        { labels: { outcome: "success" }, value: 0 },
      ],
    });
    certificates.orderEnded("success");
    const only = await figures.exposition(new Set(["snowflake_certificate_renewals_total"]));
    expect(readExposition(only ?? "")).toMatchObject([{ samples: [{ value: 2 }, { value: 1 }] }]);
  } finally {
    figures.close();
  }
});
