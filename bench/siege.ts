/**
 * What honest peers wait for while thousands of others are silent, slow, half-closed or send garbage:
 * `bun bench/siege.ts --help`. Their p99 should stay within five times that of a quiet broker.
 */

import { join } from "node:path";

import { openRunDirectory } from "../scripts/run-directory.ts";
import { mortal } from "../test/kit/mortal.ts";
import { approachTo } from "./approach.ts";
import {
  formatOptions,
  givenChoice,
  type GivenOptions,
  type Option,
  parseOptions,
  requiredCount,
} from "./options.ts";
import { readCpuTime } from "./process-usage.ts";
import { assertEnoughFiles, startServer, withAllFiles } from "./processes.ts";
import { runProgram } from "./program.ts";
import { chooseTargets, parseWholeRivals } from "./rivals.ts";
import { StallProbe } from "./stall-probe.ts";
import { percentile } from "./statistics.ts";
import { alignColumns } from "./table.ts";
import { PLAIN, type Target } from "./targets.ts";
import { KEY_KINDS, makeTlsFlags } from "./tls-flags.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  against: { type: "string", value: "upstream|previous=DIR", help: "adds a rival" },
  peers: { type: "string", value: "N", default: "15000", help: "peers that mean no good" },
  tls: {
    type: "string",
    value: KEY_KINDS.join("|"),
    help: "the server's key; without: plain HTTP",
  },
  seconds: { type: "string", value: "N", default: "20", help: "seconds of each phase" },
  help: { type: "boolean", help: "print this" },
};

/** Milliseconds from one new connection of an honest peer to the next. */
const FRESH_INTERVAL = 50;

const BODY = "1.0\n{}";
const ADDRESS = "128.0.0.2";

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const given = parseOptions(args, OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(`Usage: bun bench/siege.ts [options]\n${formatOptions(OPTIONS)}`);
    return;
  }
  const rivals = parseWholeRivals(given);
  assertEnoughFiles(requiredCount(given, "peers", 1));
  using built = new DisposableStack();
  built.use(openRunDirectory());
  const key = givenChoice(given, "tls", KEY_KINDS);
  const flags = key === undefined ? PLAIN.transport : built.use(makeTlsFlags(key)).transport;
  const targets = (await chooseTargets(rivals, built, signal)).filter(({ constant }) => !constant);
  for (const target of targets) {
    const rows = await measure(target, flags, key !== undefined, given, signal);
    process.stdout.write(`${target.name}\n${alignColumns(rows).join("\n")}\n\n`);
  }
}

/** A fresh server, quiet, while they come, and under siege. */
async function measure(
  target: Target,
  transport: readonly string[],
  tls: boolean,
  given: GivenOptions,
  signal: AbortSignal,
): Promise<string[][]> {
  await using server = await startServer(target, { transport, holdPolls: false }, signal);
  const kept = new StallProbe(server.port, tls);
  const fresh = new FreshProbe(server.port, tls);
  const rows = [["", "kept p50 ms", "p99 ms", "new p50 ms", "p99 ms", "failed", "CPU s/s"]];
  let [cpu, since] = [readCpuTime(server.pid).tree, performance.now()];
  const read = (phase: string) => {
    const now = performance.now();
    const used = readCpuTime(server.pid).tree;
    const times = fresh.take();
    const { median, p99 } = kept.take();
    const digits = [median, p99, percentile(times, 50), percentile(times, 99)];
    const share = (used - cpu) / 1000 / (now - since);
    [cpu, since] = [used, now];
    const cells = digits.map((value) => value.toFixed(1));
    rows.push([phase, ...cells, String(fresh.failures), share.toFixed(2)]);
  };
  const phase = 1000 * requiredCount(given, "seconds", 1);
  await Bun.sleep(2_000);
  read("warm-up");
  await Bun.sleep(phase);
  read("quiet");
  const peers = startSiege(server.port, requiredCount(given, "peers", 1), tls);
  try {
    await peers.come;
    read("they come");
    // For what began while they came.
    await Bun.sleep(phase / 2);
    read("settling");
    await Bun.sleep(phase);
    read("under siege");
  } finally {
    kept.close();
    fresh.close();
    peers.process.kill("SIGKILL");
    await peers.process.exited;
  }
  return rows;
}

function startSiege(port: number, peers: number, tls: boolean) {
  const program = join(import.meta.dir, "siege-process.ts");
  const options = ["--port", String(port), "--peers", String(peers), ...(tls ? ["--tls"] : [])];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = Bun.spawn(mortal(withAllFiles([process.execPath, program, ...options])), {
    stdio: ["ignore", "ignore", "inherit"],
    ipc: () => resolve(),
    onExit: () => reject(new Error("the peers have ended")),
  });
  return { process: child, come: promise };
}

/** Asks on a new connection each time. */
class FreshProbe {
  failures = 0;
  #times: number[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(port: number, tls: boolean) {
    const { open } = approachTo(port, tls ? "tls" : "plain");
    const ask = async () => {
      const started = performance.now();
      const connection = open();
      try {
        const { status } = await connection.post("/client", BODY, ADDRESS);
        if (status === 200) this.#times.push(performance.now() - started);
        else this.failures++;
      } catch {
        this.failures++;
      }
      connection.close();
    };
    this.#timer = setInterval(() => void ask(), FRESH_INTERVAL);
  }

  /** The times in ms since the last call, in ascending order. */
  take(): number[] {
    const times = this.#times.toSorted((a, b) => a - b);
    this.#times = [];
    return times;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

await runProgram(main);
