/** The longest time for which a broker with many waiting proxies leaves everybody waiting. */

import type { Server } from "./measure.ts";
import type { StallProbe, StallReading } from "./stall-probe.ts";

/** What a broker does that may take long, in the order in which it is measured. */
export const STALL_PHASES = [
  "nothing else",
  "SIGHUP",
  "scrape",
  "journal line",
  "polls begin",
  "polls end",
] as const;
export type StallPhase = (typeof STALL_PHASES)[number];

/** The proxies, wherever they run. */
export interface Gathering {
  /** Holds back the next poll of many. Resolves when none of these proxies waits any more. */
  gather(): Promise<void>;
  /** Lets them poll at once. Resolves when all these polls have ended. */
  release(): Promise<void>;
}

export interface StallLoad {
  readonly probe: Pick<StallProbe, "take">;
  readonly crowd: Gathering;
  /** Whether the server's port is one of TLS. */
  readonly tls: boolean;
  /** How long the probe goes on after each cause, in ms. */
  readonly settle: number;
  /** Resolves when the broker has had to write a line of its journals. */
  readonly journalLine: () => Promise<void>;
}

/** Every phase once. The proxies wait already. */
export async function measureStalls(
  server: Server,
  { probe, crowd, tls, settle, journalLine }: StallLoad,
): Promise<Record<StallPhase, StallReading>> {
  const during = async (cause: () => Promise<unknown> | void): Promise<StallReading> => {
    probe.take();
    await cause();
    await Bun.sleep(settle);
    return probe.take();
  };
  let released = Promise.resolve();
  return {
    "nothing else": await during(() => {}),
    SIGHUP: await during(() => void process.kill(server.pid, "SIGHUP")),
    scrape: await during(() => scrape(server.port, tls)),
    "journal line": await during(journalLine),
    "polls begin": await crowd.gather().then(() =>
      during(() => {
        released = crowd.release();
      }),
    ),
    "polls end": await during(() => released),
  };
}

/** As monitoring does it: the daily report and the metrics of Prometheus. */
async function scrape(port: number, tls: boolean): Promise<void> {
  for (const path of ["/prometheus", "/metrics"]) {
    const url = `${tls ? "https" : "http"}://127.0.0.1:${port}${path}`;
    const response = await fetch(url, { tls: { rejectUnauthorized: false } });
    if (!response.ok) throw new Error(`${path}: HTTP status ${response.status}`);
    await response.text();
  }
}
