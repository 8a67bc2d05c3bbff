/**
 * The longest stalls of a broker: `bun bench/stalls.ts --help`. A probe asks for next to nothing every 5 ms, while the
 * broker holds 15,000 waiting proxies and does what may take it long.
 */

import { join } from "node:path";

import { openRunDirectory } from "../scripts/run-directory.ts";
import { mortal } from "../test/kit/mortal.ts";
import { type Transport, TRANSPORTS } from "./approach.ts";
import { openCounting } from "./counting.ts";
import type { Command } from "./crowd-process.ts";
import { measureStalls, STALL_PHASES, type StallPhase } from "./measure-stalls.ts";
import type { Server } from "./measure.ts";
import {
  formatOptions,
  givenChoice,
  type GivenOptions,
  type Option,
  parseOptions,
  requiredCount,
} from "./options.ts";
import { assertEnoughFiles, startServer, withAllFiles } from "./processes.ts";
import { runProgram } from "./program.ts";
import { chooseTargets, parseWholeRivals } from "./rivals.ts";
import { StallProbe, type StallReading } from "./stall-probe.ts";
import { alignColumns, type Column, tableCells } from "./table.ts";
import { PLAIN, type Setup, type Target } from "./targets.ts";
import { makeTlsFlags } from "./tls-flags.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  against: { type: "string", value: "upstream|previous=DIR", help: "adds a rival" },
  transport: {
    type: "string",
    value: TRANSPORTS.join("|"),
    default: "plain",
    help: "the proxies' connections",
  },
  proxies: { type: "string", value: "N", default: "15000", help: "proxies that wait" },
  together: { type: "string", value: "N", default: "12000", help: "of them poll at once, once" },
  interval: {
    type: "string",
    value: "N",
    default: "60",
    help: "seconds to a line of the journals",
  },
  settle: { type: "string", value: "N", default: "3", help: "seconds to look on after each cause" },
  rounds: { type: "string", value: "N", default: "1", help: "rounds; the median counts" },
  help: { type: "boolean", help: "print this" },
};

const COLUMNS: readonly Column<StallReading>[] = [
  { key: "longest", title: "longest ms", digits: 1, value: ({ longest }) => longest },
  { key: "p99", title: "p99 ms", digits: 1, value: ({ p99 }) => p99 },
  { key: "late", title: "probe late ms", digits: 1, value: ({ late }) => late },
  { key: "answers", title: "answers", digits: 0, value: ({ answers }) => answers },
];

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const given = parseOptions(args, OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(`Usage: bun bench/stalls.ts [options]\n${formatOptions(OPTIONS)}`);
    return;
  }
  const rivals = parseWholeRivals(given);
  const transport = givenChoice(given, "transport", TRANSPORTS) ?? "plain";
  assertEnoughFiles(requiredCount(given, "proxies", 1));
  const rounds = requiredCount(given, "rounds", 1);

  using built = new DisposableStack();
  built.use(openRunDirectory());
  const flags = transport === "plain" ? PLAIN.transport : built.use(makeTlsFlags("p256")).transport;
  const targets = await chooseTargets(rivals, built, signal);
  const readings = new Map<string, Record<StallPhase, StallReading>[]>();
  for (let round = 1; round <= rounds; round++) {
    const brokers = targets.filter(({ constant }) => !constant);
    for (const target of round % 2 === 1 ? brokers : brokers.toReversed()) {
      const setup = { transport: flags, holdPolls: false };
      const reading = await measureTarget(target, setup, transport, given, signal);
      readings.set(target.name, [...(readings.get(target.name) ?? []), reading]);
    }
  }
  for (const [name, results] of readings) {
    const rows = STALL_PHASES.map((phase) => ({
      name: phase,
      rounds: results.map((result) => result[phase]),
    }));
    const lines = alignColumns(tableCells(rows, COLUMNS, () => 0).map((row) => row.slice(0, -1)));
    process.stdout.write(`${name}\n${lines.join("\n")}\n\n`);
  }
}

/** A fresh broker that counts everything, with the proxies that wait there. */
async function measureTarget(
  target: Target,
  setup: Setup,
  transport: Transport,
  given: GivenOptions,
  signal: AbortSignal,
): Promise<Record<StallPhase, StallReading>> {
  const interval = requiredCount(given, "interval", 1);
  const settle = requiredCount(given, "settle", 1) * 1000;
  using counting = openCounting();
  const counted: Target = {
    ...target,
    command: (port, its) => [
      ...target.command(port, its).filter((flag) => !/^--?disable-geoip$/.test(flag)),
      ...counting.flags(port),
      "--ip-count-interval",
      `${interval}s`,
    ],
  };
  const startedAt = performance.now();
  await using server = await startServer(counted, setup, signal);
  await using crowd = new CrowdProcess(server, transport, given);
  const tls = transport !== "plain";
  const probe = new StallProbe(server.port, tls);
  try {
    await crowd.start();
    const journalLine = async () => {
      const now = performance.now() - startedAt;
      await Bun.sleep(Math.ceil(now / (interval * 1000)) * interval * 1000 - now);
    };
    return await measureStalls(server, { probe, crowd, tls, settle, journalLine });
  } finally {
    probe.close();
  }
}

/** A crowd in a process of its own. */
class CrowdProcess implements AsyncDisposable {
  readonly #process: Bun.Subprocess;
  #answered: (errors: unknown) => void = () => {};

  constructor({ port }: Server, transport: Transport, given: GivenOptions) {
    const counts = ["proxies", "together"].flatMap((name) => [
      `--${name}`,
      String(requiredCount(given, name, 1)),
    ]);
    const program = join(import.meta.dir, "crowd-process.ts");
    const options = ["--port", String(port), "--transport", transport, ...counts];
    this.#process = Bun.spawn(mortal(withAllFiles([process.execPath, program, ...options])), {
      stdio: ["ignore", "ignore", "inherit"],
      ipc: (message: unknown) => this.#answered(message),
    });
  }

  start(): Promise<void> {
    return this.#tell("start");
  }

  gather(): Promise<void> {
    return this.#tell("gather");
  }

  release(): Promise<void> {
    return this.#tell("release");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  /** Resolves when it is done. Rejects if any proxy has had an error by then, or the process ends. */
  async #tell(command: Command): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#answered = resolve;
    this.#process.send(command);
    const errors = await Promise.race([promise, this.#process.exited]);
    if (!Array.isArray(errors) || errors.length > 0)
      throw new Error(`the proxies have failed: ${String(errors)}`);
  }
}

await runProgram(main);
