/** Peers that all connect and ask at the same moment, in a process of their own. Prints how they fared, as JSON. */

import { approachTo, TRANSPORTS } from "./approach.ts";
import { givenChoice, type Option, parseOptions, requiredCount } from "./options.ts";
import { percentile } from "./statistics.ts";

/** Times in ms since all began. */
export interface StormResult {
  readonly served: number;
  readonly median: number;
  readonly p99: number;
  readonly last: number;
  /** How many were not served, by the reason. */
  readonly failures: Readonly<Record<string, number>>;
}

const OPTIONS: Readonly<Record<string, Option>> = {
  port: { type: "string", value: "PORT", help: "where the server listens on 127.0.0.1" },
  transport: { type: "string", value: TRANSPORTS.join("|"), help: "the peers' connections" },
  peers: { type: "string", value: "N", help: "peers" },
};

/** Who asks too late counts as not served. Milliseconds. */
const PATIENCE = 120_000;

const BODY = "1.0\n{}";
const ADDRESS = "128.0.0.1";

if (import.meta.main) {
  const given = parseOptions(process.argv.slice(2), OPTIONS);
  const port = requiredCount(given, "port", 1);
  const { open } = approachTo(port, givenChoice(given, "transport", TRANSPORTS));
  const peers = requiredCount(given, "peers", 1);
  const times: number[] = [];
  const failures: Record<string, number> = {};
  const fail = (reason: string) => void (failures[reason] = (failures[reason] ?? 0) + 1);
  const started = performance.now();
  const all = Array.from({ length: peers }, async () => {
    try {
      const { status } = await open().post("/client", BODY, ADDRESS);
      if (status === 200) times.push(performance.now() - started);
      else fail(`HTTP status ${status}`);
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
  });
  await Promise.race([Promise.all(all), Bun.sleep(PATIENCE)]);
  times.sort((a, b) => a - b);
  const late = peers - times.length - Object.values(failures).reduce((sum, n) => sum + n, 0);
  if (late > 0) failures["no reply"] = late;
  const result: StormResult = {
    served: times.length,
    median: percentile(times, 50),
    p99: percentile(times, 99),
    last: percentile(times, 100),
    failures,
  };
  process.stdout.write(JSON.stringify(result), () => process.exit());
}
