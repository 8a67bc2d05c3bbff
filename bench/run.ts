/** Benchmarks of the broker and its neighbours: fresh processes each round, in an order that turns each round. */

import { cpus } from "node:os";

import { openRunDirectory } from "../scripts/run-directory.ts";
import {
  type Case,
  FLAT_PROXIES,
  flatCases,
  idleCases,
  matchingCases,
  mixedCase,
  tlsCases,
} from "./cases.ts";
import { prepareCounting } from "./counting.ts";
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
import { assertEnoughFiles } from "./processes.ts";
import { type CaseReport, countErrors, formatReport, reportObject } from "./report.ts";
import {
  buildGoFloor,
  BUN_FLOOR,
  findUpstream,
  OURS,
  type Rival,
  RIVALS,
  splitTargets,
  type Target,
  UNCOUNTED,
} from "./targets.ts";
import { KEY_KINDS, type KeyKind, makeTlsFlags } from "./tls-flags.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  against: { type: "string", value: RIVALS.join("|"), help: "adds a rival; may be repeated" },
  mixed: { type: "boolean", help: "measures this broker with clients by HTTP, AMP cache and SQS" },
  idle: { type: "string", value: "N", help: "measures memory with N proxies waiting instead" },
  flat: { type: "boolean", help: "measures this broker with 10,000 and with 200 proxies waiting" },
  split: {
    type: "boolean",
    help: "measures this broker as one process, and with --workers 1 and 2",
  },
  tls: {
    type: "string",
    value: KEY_KINDS.join("|"),
    help: "the same, each request on a new TLS connection, with such a key",
  },
  proxies: { type: "string", value: "N", default: "200", help: "proxies waiting at any time" },
  clients: { type: "string", value: "N", default: "16", help: "clients, each always in a match" },
  "amp-clients": { type: "string", value: "N", default: "4", help: "by AMP cache, with --mixed" },
  "sqs-clients": { type: "string", value: "N", default: "2", help: "by SQS, with --mixed" },
  seconds: { type: "string", value: "N", default: "10", help: "length of the measured window" },
  warmup: { type: "string", value: "N", default: "5", help: "seconds of load before it" },
  rounds: { type: "string", value: "N", default: "3", help: "rounds; the median counts" },
  json: { type: "boolean", help: "machine-readable report on standard output" },
  progress: { type: "boolean", help: "a line a second on standard error, terminal or not" },
  help: { type: "boolean", help: "print this" },
};

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = parseOptions(args, OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(`Usage: npm run bench -- [options]\n${formatOptions(OPTIONS)}`);
    return 0;
  }
  const rivals = parseRivals(given);
  const flat = given.switches.has("flat");
  const mixed = given.switches.has("mixed");
  const split = given.switches.has("split");
  const tls = parseKeyKind(given);
  const idle = givenCount(given, "idle", 1);
  const modes = [flat, mixed, split, tls !== undefined, idle !== undefined || rivals.length > 0];
  if (modes.filter(Boolean).length > 1)
    throw new UsageError("only one of --flat, --mixed, --split, --tls, or --idle and --against");
  const rounds = requiredCount(given, "rounds", 1);
  assertEnoughFiles(
    flat ? Math.max(...FLAT_PROXIES) : (idle ?? requiredCount(given, "proxies", 1)),
  );

  using built = new DisposableStack();
  built.use(openRunDirectory());
  const chooseCases = async () => {
    if (flat) return flatCases(given);
    if (mixed) return [mixedCase(given)];
    if (split) return matchingCases(splitTargets(), given);
    if (tls !== undefined) return tlsCases(built.use(makeTlsFlags(tls)), given);
    const targets = await chooseTargets(rivals, built, signal);
    return idle === undefined ? matchingCases(targets, given) : idleCases(targets, idle);
  };
  const cases = await chooseCases();
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

/**
 * The first is the one that the others are compared with: `uncounted` if it is there, so that the ratios are what
 * counting costs. `built` gets what has to be removed in the end.
 */
async function chooseTargets(
  rivals: readonly Rival[],
  built: DisposableStack,
  signal: AbortSignal,
): Promise<Target[]> {
  const targets = rivals.includes("uncounted")
    ? [UNCOUNTED, OURS, built.use(prepareCounting()).target, BUN_FLOOR]
    : [OURS, BUN_FLOOR];
  if (rivals.includes("upstream")) targets.push(findUpstream(process.env));
  if (rivals.includes("go-floor")) targets.push(built.use(await buildGoFloor(signal)).target);
  return targets;
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
      const options = progress ? ["--progress", "--label", label] : [];
      results.get(entry)?.push(await entry.run(options, signal));
    }
  }
  return cases.map((entry) => ({
    name: entry.name,
    label: entry.label,
    rounds: results.get(entry) ?? [],
  }));
}

function parseRivals(given: GivenOptions): Rival[] {
  return (given.texts.get("against") ?? []).map((name) => {
    const rival = RIVALS.find((known) => known === name);
    if (rival === undefined)
      throw new UsageError(`--against: "${name}" is none of ${RIVALS.join(", ")}`);
    return rival;
  });
}

function parseKeyKind(given: GivenOptions): KeyKind | undefined {
  const name = given.texts.get("tls")?.at(-1);
  const kind = KEY_KINDS.find((known) => known === name);
  if (name !== undefined && kind === undefined)
    throw new UsageError(`--tls: "${name}" is none of ${KEY_KINDS.join(", ")}`);
  return kind;
}

function describeMachine(): string {
  const cores = cpus();
  return [
    `${cores.length} cores, ${cores[0]?.model ?? "unknown"}; Bun ${Bun.version}.`,
    "Server and generator are separate processes that share the cores: with fewer than three of them, matches/s and",
    "latency are those of both together. CPU and memory are the server's alone, children included; `first` is CPU µs/match",
    "of its first process alone. Only `generator` is the load generator's: the cores it kept busy.",
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
