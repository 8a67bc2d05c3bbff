/** Benchmarks of the broker and its neighbours: fresh processes each round, in an order that turns each round. */

import { cpus } from "node:os";

import { openRunDirectory } from "../scripts/run-directory.ts";
import { type Transport, TRANSPORTS } from "./approach.ts";
import {
  type Case,
  fieldCases,
  FLAT_PROXIES,
  flatCases,
  idleCases,
  matchingCases,
  mixedCase,
  tlsCases,
} from "./cases.ts";
import type { LoadResult } from "./load-result.ts";
import {
  formatOptions,
  givenChoice,
  givenCount,
  type GivenOptions,
  type Option,
  parseOptions,
  requiredCount,
  UsageError,
} from "./options.ts";
import { assertEnoughFiles } from "./processes.ts";
import { runProgram } from "./program.ts";
import { type CaseReport, countErrors, formatReport, reportObject } from "./report.ts";
import { chooseTargets, parseRivals, RIVALS_HELP } from "./rivals.ts";
import { PLAIN, splitTargets } from "./targets.ts";
import { KEY_KINDS, makeTlsFlags } from "./tls-flags.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  against: { type: "string", value: RIVALS_HELP, help: "adds a rival; may be repeated" },
  mixed: { type: "boolean", help: "measures this broker with clients by HTTP, AMP cache and SQS" },
  transport: {
    type: "string",
    value: TRANSPORTS.join("|"),
    help: "peers' connections, plain unless given: kept, or with -fresh a new one for each request; TLS with P-256",
  },
  idle: { type: "string", value: "N", help: "measures memory with N proxies waiting instead" },
  field: {
    type: "string",
    value: "N",
    help: "measures CPU of N proxies instead, each with a poll a minute on an HTTP/2 connection of its own",
  },
  flat: { type: "boolean", help: "measures this broker with 15,000 and with 200 proxies waiting" },
  split: {
    type: "boolean",
    help: "measures this broker as one process, and with --workers 1 and 2",
  },
  tls: {
    type: "string",
    value: KEY_KINDS.join("|"),
    help: "the same with --transport tls-fresh and such a key",
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
  const tls = givenChoice(given, "tls", KEY_KINDS);
  const idle = givenCount(given, "idle", 1);
  const field = givenCount(given, "field", 1);
  const others = idle !== undefined || field !== undefined || rivals.size > 0;
  if ([flat, mixed, split, tls !== undefined, others].filter(Boolean).length > 1)
    throw new UsageError(
      "only one of --flat, --mixed, --split, --tls, or --idle, --field and --against",
    );
  if (idle !== undefined && field !== undefined)
    throw new UsageError("only one of --idle and --field");
  const transport = chooseTransport(given);
  const rounds = requiredCount(given, "rounds", 1);
  assertEnoughFiles(
    flat ? Math.max(...FLAT_PROXIES) : (idle ?? field ?? requiredCount(given, "proxies", 1)),
  );

  using built = new DisposableStack();
  built.use(openRunDirectory());
  const flags =
    transport === "plain" ? PLAIN.transport : built.use(makeTlsFlags(tls ?? "p256")).transport;
  const way = { transport, flags };
  const chooseCases = async () => {
    if (flat) return flatCases(given, way);
    if (mixed) return [mixedCase(given)];
    if (split) return matchingCases(splitTargets(), given, way);
    if (tls !== undefined) return tlsCases(given, way);
    const targets = await chooseTargets(rivals, built, signal);
    if (field !== undefined) return fieldCases(targets, field, given, way);
    return idle === undefined ? matchingCases(targets, given, way) : idleCases(targets, idle, way);
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

/** Modes with a transport of their own. */
const OWN_TRANSPORTS: readonly (readonly [mode: string, Transport])[] = [
  ["mixed", "plain"],
  ["tls", "tls-fresh"],
  ["field", "h2"],
];

/** How peers come. Throws UsageError for `--transport` beside what has a transport of its own. */
function chooseTransport(given: GivenOptions): Transport {
  const transport = givenChoice(given, "transport", TRANSPORTS);
  const own = OWN_TRANSPORTS.find(([name]) => given.switches.has(name) || given.texts.has(name));
  if (own === undefined) return transport ?? "plain";
  if (transport !== undefined) throw new UsageError(`--${own[0]} goes without --transport`);
  return own[1];
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

function describeMachine(): string {
  const cores = cpus();
  return [
    `${cores.length} cores, ${cores[0]?.model ?? "unknown"}; Bun ${Bun.version}.`,
    "Server and generator are separate processes that share the cores: with fewer than three of them, matches/s and",
    "latency are those of both together. CPU and memory are the server's alone, children included; `first` is CPU µs/match",
    "of its first process alone. Only `generator` is the load generator's: the cores it kept busy.",
  ].join("\n");
}

await runProgram(main);
