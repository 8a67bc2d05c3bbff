/**
 * Peers that all shake hands at the same moment, as after a restart: `bun bench/storm.ts --help`. Every one should be
 * served, and none cut off because the broker is late.
 */

import { join } from "node:path";

import { openRunDirectory } from "../scripts/run-directory.ts";
import { mortal } from "../test/kit/mortal.ts";
import { TRANSPORTS } from "./approach.ts";
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
import type { StormResult } from "./storm-process.ts";
import { alignColumns, type Column, tableCells } from "./table.ts";
import type { Target } from "./targets.ts";
import { KEY_KINDS, makeTlsFlags } from "./tls-flags.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  against: { type: "string", value: "upstream|previous=DIR", help: "adds a rival" },
  peers: { type: "string", value: "N", default: "12000", help: "peers that connect at once" },
  tls: { type: "string", value: KEY_KINDS.join("|"), default: "p256", help: "the server's key" },
  transport: { type: "string", value: "h2|tls", default: "h2", help: "what they speak" },
  rounds: { type: "string", value: "N", default: "1", help: "rounds; the median counts" },
  help: { type: "boolean", help: "print this" },
};

interface Reading extends StormResult {
  /** Of the server, in s. */
  readonly cpu: number;
}

const COLUMNS: readonly Column<Reading>[] = [
  { key: "served", title: "served", digits: 0, value: ({ served }) => served },
  { key: "median", title: "median s", digits: 2, value: ({ median }) => median / 1000 },
  { key: "p99", title: "p99 s", digits: 2, value: ({ p99 }) => p99 / 1000 },
  { key: "last", title: "last s", digits: 2, value: ({ last }) => last / 1000 },
  { key: "cpu", title: "CPU s", digits: 2, value: ({ cpu }) => cpu },
];

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const given = parseOptions(args, OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(`Usage: bun bench/storm.ts [options]\n${formatOptions(OPTIONS)}`);
    return;
  }
  const rivals = parseWholeRivals(given);
  assertEnoughFiles(requiredCount(given, "peers", 1));
  using built = new DisposableStack();
  built.use(openRunDirectory());
  const { transport } = built.use(makeTlsFlags(givenChoice(given, "tls", KEY_KINDS) ?? "p256"));
  const targets = (await chooseTargets(rivals, built, signal)).filter(({ constant }) => !constant);
  const readings = new Map<string, Reading[]>(targets.map(({ name }) => [name, []]));
  const rounds = requiredCount(given, "rounds", 1);
  for (let round = 1; round <= rounds; round++) {
    for (const target of round % 2 === 1 ? targets : targets.toReversed())
      readings.get(target.name)?.push(await measure(target, transport, given, signal));
  }
  const rows = [...readings].map(([name, results]) => ({ name, rounds: results }));
  const countErrors = ({ failures }: Reading) =>
    Object.values(failures).reduce((sum, count) => sum + count, 0);
  const lines = alignColumns(tableCells(rows, COLUMNS, countErrors));
  process.stdout.write(`${lines.join("\n")}\n`);
  for (const [name, results] of readings)
    for (const { failures } of results)
      for (const [reason, count] of Object.entries(failures))
        process.stdout.write(`${name}: ${count} x ${reason}\n`);
}

/** One storm at a fresh server. */
async function measure(
  target: Target,
  tlsFlags: readonly string[],
  given: GivenOptions,
  signal: AbortSignal,
): Promise<Reading> {
  await using server = await startServer(target, { transport: tlsFlags, holdPolls: false }, signal);
  const before = readCpuTime(server.pid).tree;
  const options = {
    port: server.port,
    peers: requiredCount(given, "peers", 1),
    transport: givenChoice(given, "transport", TRANSPORTS) ?? "h2",
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = join(import.meta.dir, "storm-process.ts");
  const peers = Bun.spawn(mortal(withAllFiles([process.execPath, program, ...flags])), {
    stdio: ["ignore", "pipe", "inherit"],
    signal,
  });
  const result = parseResult(await peers.stdout.json());
  return { ...result, cpu: (readCpuTime(server.pid).tree - before) / 1e6 };
}

function parseResult(json: unknown): StormResult {
  if (typeof json !== "object" || json === null) throw new Error("the peers gave no result");
  const fields = new Map<string, unknown>(Object.entries(json));
  const number = (name: string) => {
    const value = fields.get(name);
    return typeof value === "number" ? value : Number.NaN;
  };
  const failures = Object.entries(fields.get("failures") ?? {});
  return {
    served: number("served"),
    median: number("median"),
    p99: number("p99"),
    last: number("last"),
    failures: Object.fromEntries(failures.map(([reason, count]) => [reason, Number(count)])),
  };
}

await runProgram(main);
