import { expect, test } from "bun:test";
import { join } from "node:path";

import { Counts } from "./counts.ts";
import { describeWithPrograms } from "./programs.ts";

/** Longest time of a run, in ms: a second for each rotation, and some to set it up. */
const TIMEOUT = 60_000;

interface Load {
  readonly rotations: number;
  readonly proxies: number;
  readonly clients: number;
  /** Peers that keep their connection, busy or mostly idle. */
  readonly keeping: number;
  readonly idling: number;
  /** Peers that open a connection for every request. */
  readonly fresh: number;
}

async function rotate(load: Load): Promise<Counts> {
  const { rotations, proxies, clients, keeping, idling, fresh } = load;
  const numbers = [rotations, proxies, clients, keeping, idling, fresh].map(String);
  const run = Bun.spawn([process.execPath, join(import.meta.dir, "rotation.ts"), ...numbers], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [text, exitCode] = await Promise.all([run.stdout.text(), run.exited]);
  if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}`);
  console.log(`rotation: ${text.trim()}`);
  return Counts.parse(text);
}

describeWithPrograms("certificates change under load", ["openssl"], () => {
  test(
    "ten times with 2,000 proxies waiting, and busy, idle and fresh connections: nothing is lost",
    async () => {
      const load = { rotations: 10, proxies: 2000, clients: 4, keeping: 16, idling: 200, fresh: 8 };
      const counts = await rotate(load);
      expect(counts.of("waiting")).toBeGreaterThan(1800);
      for (const work of ["polls", "matches", "kept", "idle", "fresh"]) {
        expect(counts.of(work)).toBeGreaterThan(100);
      }
      for (const lost of ["lost on kept", "lost on idle", "lost on fresh", "bugs"]) {
        expect([lost, counts.of(lost)]).toEqual([lost, 0]);
      }
      expect(counts.of("slowest")).toBeLessThan(100);
    },
    TIMEOUT,
  );
});
