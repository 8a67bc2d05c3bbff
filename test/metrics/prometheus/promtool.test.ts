/** Against promtool of Debian's package prometheus. REQUIRE_PEERS=1 makes its absence a failure. */

import { expect, test } from "bun:test";

import { DEFAULT_POLL_INTERVALS } from "../../../src/broker/policy/poll-intervals.ts";
import { PrometheusMetrics } from "../../../src/metrics/prometheus/prometheus-metrics.ts";
import { playVector } from "./vector-events.ts";

const PROMTOOL = Bun.which("promtool");
const NOBODY = { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0, unknown: 0 };

async function check(exposition: string) {
  const promtool = Bun.spawn([PROMTOOL ?? "promtool", "check", "metrics"], {
    stdin: Buffer.from(exposition),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([promtool.stdout.text(), promtool.stderr.text()]);
  return { complaints: stdout + stderr, exitCode: await promtool.exited };
}

test.skipIf(PROMTOOL === null && process.env["REQUIRE_PEERS"] !== "1")(
  "promtool has nothing to say against names, types and format",
  async () => {
    const metrics = new PrometheusMetrics({
      version: "1.2.3",
      load: () => ({
        waitingByPoolAndType: { open: NOBODY, moderate: NOBODY, strict: NOBODY },
        matchesInFlight: 0,
        waitingClients: 0,
        pollIntervals: DEFAULT_POLL_INTERVALS,
      }),
    });
    playVector(metrics);
    for (let n = 0; n < 20; n++)
      metrics.clientEnded('a"b\\c\nd', "open", "http", "answered", 500 * n);
    metrics.newProxyAddress("", "open", "badge");
    const exposition = await metrics.exposition();
    metrics.close();
    expect(await check(exposition)).toEqual({ complaints: "", exitCode: 0 });
    const unconventional = "# HELP a b\n# TYPE a counter\na 1\n";
    expect((await check(unconventional)).complaints).toContain("_total");
  },
);
