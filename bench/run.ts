/** Benchmarks of the broker and its neighbours: fresh processes each round, in an order that turns each round. */

import { cpus } from "node:os";

import type { LoadResult } from "./load-result.ts";
import {
  formatOptions,
  givenCount,
  type GivenOptions,
  type Option,
  parseOptions,
  requiredCount,
  UsageError,
} from "./options.ts";
import { assertEnoughFiles, runLoad, startServer } from "./processes.ts";
import { type CaseReport, countErrors, formatReport, reportObject } from "./report.ts";
import {
  buildGoFloor,
  BUN_FLOOR,
  findUpstream,
  OURS,
  type Rival,
  RIVALS,
  type Target,
} from "./targets.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  against: { type: "string", value: RIVALS.join("|"), help: "adds a rival; may be repeated" },
  idle: { type: "string", value: "N", help: "measures memory with N proxies waiting instead" },
  flat: { type: "boolean", help: "measures this broker with 10,000 and with 200 proxies waiting" },
  proxies: { type: "string", value: "N", default: "200", help: "proxies waiting at any time" },
  clients: { type: "string", value: "N", default: "16", help: "clients, each always in a match" },
  seconds: { type: "string", value: "N", default: "10", help: "length of the measured window" },
  warmup: { type: "string", value: "N", default: "5", help: "seconds of load before it" },
  rounds: { type: "string", value: "N", default: "3", help: "rounds; the median counts" },
  json: { type: "boolean", help: "machine-readable report on standard output" },
  progress: { type: "boolean", help: "a line a second on standard error, terminal or not" },
  help: { type: "boolean", help: "print this" },
};

const FLAT_PROXIES = [200, 10_000];

/** A server under a load, measured once a round. */
interface Case {
  readonly name: string;
  readonly label: string;
  readonly target: Target;
  readonly holdPolls: boolean;
  readonly load: readonly string[];
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = parseOptions(args, OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(`Usage: npm run bench -- [options]\n${formatOptions(OPTIONS)}`);
    return 0;
  }
  const rivals = parseRivals(given);
  const flat = given.switches.has("flat");
  const idle = givenCount(given, "idle", 1);
  if (flat && (idle !== undefined || rivals.length > 0))
    throw new UsageError("--flat, --idle and --against: --flat goes with neither of the others");
  const rounds = requiredCount(given, "rounds", 1);
  assertEnoughFiles(
    flat ? Math.max(...FLAT_PROXIES) : (idle ?? requiredCount(given, "proxies", 1)),
  );

  using built = new DisposableStack();
  const targets = [OURS, BUN_FLOOR];
  if (rivals.includes("upstream")) targets.push(findUpstream(process.env));
  if (rivals.includes("go-floor")) targets.push(built.use(await buildGoFloor(signal)).target);

  const cases = flat
    ? flatCases(given)
    : idle === undefined
      ? matchingCases(targets, given)
      : idleCases(targets, idle);
  const progress = process.stderr.isTTY || given.switches.has("progress");
  const reports = await runRounds(cases, rounds, progress, signal);

  const machine = describeMachine();
  process.stdout.write(
    given.switches.has("json")
      ? `${JSON.stringify(reportObject(reports, machine), undefined, 2)}\n`
      : formatReport(reports, machine),
  );
  return countErrors(reports) === 0 ? 0 : 1;
}

async function runRounds(
  cases: readonly Case[],
  rounds: number,
  progress: boolean,
  signal: AbortSignal,
): Promise<CaseReport[]> {
  const results = new Map<Case, LoadResult[]>(cases.map((entry) => [entry, []]));
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 1 ? cases : cases.toReversed();
    for (const entry of order) {
      const label = `${entry.name} ${round}/${rounds}`;
      const options = progress ? [...entry.load, "--progress", "--label", label] : entry.load;
      await using server = await startServer(entry.target, entry.holdPolls, signal);
      results.get(entry)?.push(await runLoad(server, options, signal));
    }
  }
  return cases.map((entry) => ({
    name: entry.name,
    label: entry.label,
    rounds: results.get(entry) ?? [],
  }));
}

function matchingCases(targets: readonly Target[], given: GivenOptions): Case[] {
  const proxies = requiredCount(given, "proxies", 1);
  return targets.map((target) => ({
    name: target.name,
    label: target.label,
    target,
    holdPolls: false,
    load: target.constant
      ? ["--constant", ...windowOptions(given)]
      : ["--proxies", String(proxies), ...windowOptions(given)],
  }));
}

function idleCases(targets: readonly Target[], count: number): Case[] {
  return targets.map((target) => ({
    name: target.name,
    label: target.label,
    target,
    holdPolls: true,
    load: ["--idle", String(count)],
  }));
}

function flatCases(given: GivenOptions): Case[] {
  return FLAT_PROXIES.map((proxies) => ({
    name: `${proxies} waiting`,
    label: `${OURS.label}, ${proxies} proxies waiting`,
    target: OURS,
    holdPolls: false,
    load: ["--proxies", String(proxies), ...windowOptions(given)],
  }));
}

/** The options of the load that are the same for every case. */
function windowOptions(given: GivenOptions): string[] {
  return ["clients", "seconds", "warmup"].flatMap((name) => [
    `--${name}`,
    String(requiredCount(given, name, name === "warmup" ? 0 : 1)),
  ]);
}

function parseRivals(given: GivenOptions): Rival[] {
  return (given.texts.get("against") ?? []).map((name) => {
    const rival = RIVALS.find((known) => known === name);
    if (rival === undefined)
      throw new UsageError(`--against: "${name}" is none of ${RIVALS.join(", ")}`);
    return rival;
  });
}

function describeMachine(): string {
  const cores = cpus();
  return [
    `${cores.length} cores, ${cores[0]?.model ?? "unknown"}; Bun ${Bun.version}.`,
    "Server and generator are separate processes that share the cores: with fewer than three of them, matches/s and",
    "latency are those of both together. CPU and memory are the server's alone, children included; only `generator` is",
    "the load generator's: the cores it kept busy.",
  ].join("\n");
}

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());
process.once("SIGTERM", () => interrupted.abort());
try {
  process.exitCode = await main(process.argv.slice(2), interrupted.signal);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${interrupted.signal.aborted ? "interrupted" : reason}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
