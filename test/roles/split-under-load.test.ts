import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { until } from "../interop/waiting.ts";
import { BrokerProcess } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { childrenOf } from "../kit/process-tree.ts";
import { connectionsOf } from "../kit/tcp-connections.ts";
import { type LoadSize, SplitLoad } from "./split-load.ts";

/** Longest time of a test, in ms. */
const TIMEOUT = 30_000;

/** Milliseconds within which the load has to come to something. */
const BOUND = 10_000;

/** Milliseconds from the end of a core to the start of the next. */
const NO_CORE = 300;

/** Milliseconds that polls under way may take to get to the core. */
const REGISTERED = 1_000;

/** Matches that are made before anything happens, and after it. */
const SOME = 300;

const SIZE: LoadSize = { proxies: 800, clients: 32 };

const files = temporaryDirectory();
afterAll(() => files[Symbol.dispose]());

/** Proxies come back at once. */
const intervals = join(files.path, "intervals.json");
writeFileSync(
  intervals,
  '{"open_poll_interval":0,"moderate_poll_interval":0,"strict_poll_interval":0}',
);
const MATCHING = ["--disable-geoip", `--poll-interval-filepath=${intervals}`];

let sockets = 0;
const newSocket = () => join(files.path, `${++sockets}.sock`);

function startCore(socket: string): Promise<BrokerProcess> {
  return BrokerProcess.startRole("core", `--socket=${socket}`, ...MATCHING);
}

function startFrontend(socket: string): Promise<BrokerProcess> {
  return BrokerProcess.startRole(
    ...["http-frontend", `--socket=${socket}`, "--disable-tls", "--addr=127.0.0.1:0"],
  );
}

function portOf({ url }: BrokerProcess): number {
  return Number(new URL(url).port);
}

/** How many proxies and clients the core has, by what a frontend says. */
async function sessions({ url }: BrokerProcess): Promise<number> {
  const page = await fetch(`${url}debug`).then((r) => r.text());
  return Number(/^current snowflakes available: (\d+)\n/.exec(page)?.[1]);
}

/** Waits until all proxies are there and more matches are made. */
async function goOn(load: SplitLoad): Promise<void> {
  const enough = load.counts.of("matches") + SOME;
  await until(BOUND, "matches", () => load.counts.of("matches") > enough || undefined);
  // Those who think about an offer do not wait.
  const proxies = SIZE.proxies - 2 * SIZE.clients;
  await until(BOUND, "proxies", () => load.waiting > proxies || undefined);
}

/** Ends the load and says what became of it. Every proxy waits at the core when no client comes. */
async function finish(what: string, load: SplitLoad, frontend: BrokerProcess): Promise<void> {
  await load.endClients();
  await until(BOUND, "end of matches", () => load.waiting === SIZE.proxies || undefined);
  // A poll that the core had forgotten would be missing for longer.
  await until(REGISTERED, "proxies at the core", async () => {
    return (await sessions(frontend)) === SIZE.proxies || undefined;
  });
  await load.stop();
  console.log(
    `${what}: slowest client ${Math.round(load.slowest)} ms, unexplained ${load.unexplained.length}, ${load.counts.format()}`,
  );
  expect(load.unexplained).toEqual([]);
}

describe("under load", () => {
  test(
    "kill -9 of a frontend takes its connections, and matches between it and another",
    async () => {
      const socket = newSocket();
      await using core = await startCore(socket);
      await using one = await startFrontend(socket);
      await using two = await startFrontend(socket);
      const load = new SplitLoad([portOf(one), portOf(two)], SIZE);
      await goOn(load);

      const offering = load.offering;
      const connections = connectionsOf(one.pid);
      expect(connections.size).toBe((SIZE.proxies + SIZE.clients) / 2);
      const death = load.announce({ connections, ofCore: false }, [portOf(two)]);
      one.signal("SIGKILL");
      await core.logged("a frontend is gone");
      death.until = performance.now();
      await goOn(load);
      await finish("kill -9 of a frontend", load, two);
      const { counts } = load;
      const lost = ["/proxy", "/answer", "/client"].map((path) => counts.of(`${path} lost`));
      // Some are between two requests.
      expect(lost.reduce((sum, count) => sum + count)).toBeWithin(
        connections.size / 2,
        connections.size + 1,
      );
      expect(counts.of("clients whose match died")).toBeLessThanOrEqual(offering);
    },
    TIMEOUT,
  );

  test.each(["SIGKILL", "SIGTERM"] as const)(
    "%s of the core costs clients and proxies nothing but time when the next one comes soon",
    async (signal) => {
      const socket = newSocket();
      await using first = await startCore(socket);
      await using one = await startFrontend(socket);
      await using two = await startFrontend(socket);
      const load = new SplitLoad([portOf(one), portOf(two)], SIZE);
      await goOn(load);

      const offering = load.offering;
      const death = load.announce({ connections: new Set(), ofCore: true });
      first.signal(signal);
      await first.exited;
      const died = performance.now() - death.since;
      await Bun.sleep(NO_CORE);
      await using _ = await startCore(socket);
      death.until = performance.now();
      const down = death.until - death.since;
      await goOn(load);
      await finish(`${signal} of the core`, load, two);
      console.log(
        `  gone after ${Math.round(died)} ms, next ${Math.round(down)} ms, offering ${offering}`,
      );
      expect(load.counts.of("clients whose match died")).toBe(0);
      expect(load.counts.of("answers whose match died")).toBeLessThanOrEqual(
        signal === "SIGKILL" ? offering : 0,
      );
      expect(load.slowest).toBeWithin(NO_CORE, 6_000);
    },
    TIMEOUT,
  );

  test(
    "kill -9 of one of two workers takes its connections, and it comes back",
    async () => {
      const port = freePort();
      await using broker = await BrokerProcess.startRole(
        ...["--workers=2", "--disable-tls", `--addr=127.0.0.1:${port}`, ...MATCHING],
      );
      const started = () => broker.log.split("listening on ").length - 1;
      await until(BOUND, "two workers", () => started() === 2 || undefined);
      const load = new SplitLoad([port], SIZE);
      await goOn(load);

      const offering = load.offering;
      const [worker = 0, ...others] = childrenOf(broker.pid);
      const connections = connectionsOf(worker);
      const kept = others.map((other) => connectionsOf(other).size);
      expect([connections.size, ...kept]).toHaveLength(2);
      expect(connections.size + (kept[0] ?? 0)).toBe(SIZE.proxies + SIZE.clients);
      const death = load.announce({ connections, ofCore: false });
      process.kill(worker, "SIGKILL");
      await broker.logged("a frontend is gone");
      death.until = performance.now();
      await until(BOUND, "a third worker", () => started() === 3 || undefined);
      await goOn(load);
      await finish("kill -9 of a worker", load, broker);
      expect(load.counts.of("clients whose match died")).toBeLessThanOrEqual(offering);
      // Killed, it would leave the directory of its socket.
      await broker.stop();
    },
    TIMEOUT,
  );
});
