import { expect, test } from "bun:test";
import { join } from "node:path";

import { Counts } from "./counts.ts";
import { describeWithPrograms } from "./programs.ts";

/** Longest time of a run, in ms: a second for each rotation, and some to set it up. */
const TIMEOUT = 60_000;

/** A network of its own where the kernel may give a closed listener's connections to another listener. */
const MIGRATING = `ip link set lo up && echo 1 >/proc/sys/net/ipv4/tcp_migrate_req && exec "$@"`;

/** What runs a command in such a network; undefined: it can't be had here. */
function migratingNetwork(): readonly string[] | undefined {
  for (const flags of [["--net"], ["--map-root-user", "--net"]]) {
    const wrapper = ["unshare", ...flags, "sh", "-c", MIGRATING, "sh"];
    if (Bun.which("unshare") === null) return undefined;
    if (Bun.spawnSync([...wrapper, "true"]).success) return wrapper;
  }
  return undefined;
}

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

async function rotate(load: Load, wrapper: readonly string[]): Promise<Counts> {
  const { rotations, proxies, clients, keeping, idling, fresh } = load;
  const numbers = [rotations, proxies, clients, keeping, idling, fresh].map(String);
  const run = Bun.spawn(
    [...wrapper, process.execPath, join(import.meta.dir, "rotation.ts"), ...numbers],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [text, exitCode] = await Promise.all([run.stdout.text(), run.exited]);
  if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}`);
  console.log(`rotation: ${text.trim()}`);
  return Counts.parse(text);
}

describeWithPrograms("certificates change under load", ["openssl"], () => {
  const wrapper = migratingNetwork();
  if (wrapper === undefined) {
    console.log("rotation: no network of its own to be had: without tcp_migrate_req");
  }

  test.skipIf(wrapper === undefined)(
    "ten times with 2,000 proxies waiting and tcp_migrate_req=1: nothing is lost",
    async () => {
      const load = { rotations: 10, proxies: 2000, clients: 4, keeping: 16, idling: 200, fresh: 8 };
      const counts = await rotate(load, wrapper ?? []);
      expect(counts.of("waiting")).toBeGreaterThan(1800);
      for (const work of ["polls", "matches", "kept", "idle", "fresh"]) {
        expect(counts.of(work)).toBeGreaterThan(100);
      }
      expect(counts.of("lost on kept")).toBe(0);
      // In one of some hundred rotations the kernel resets one that it is just setting up while the listener closes.
      expect(counts.of("lost on fresh")).toBeLessThanOrEqual(1);
      expect(counts.of("bugs")).toBe(0);
      expect(counts.of("slowest")).toBeWithin(1, 1000);
    },
    TIMEOUT,
  );

  test(
    "three times without it: nothing is lost but a few new connections",
    async () => {
      const load = { rotations: 3, proxies: 200, clients: 4, keeping: 16, idling: 200, fresh: 8 };
      const counts = await rotate(load, []);
      expect(counts.of("fresh")).toBeGreaterThan(100);
      expect(counts.of("lost on kept")).toBe(0);
      // At most what each of the peers that come and go has under way when a listener closes.
      expect(counts.of("lost on fresh")).toBeLessThanOrEqual(load.rotations * load.fresh * 2);
      expect(counts.of("bugs")).toBe(0);
      expect(counts.of("slowest")).toBeWithin(1, 1000);
    },
    TIMEOUT,
  );
});
