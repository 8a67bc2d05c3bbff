/**
 * Gives the parsers of `src/http/` random cases, mostly nearly right: `bun bench/fuzz.ts --help`. What fails is printed as
 * small as it can be made, with the command that shows it again.
 */

import { HpackOracle } from "./fuzz/hpack-oracle.ts";
import {
  type Checked,
  checkHpack,
  checkHttp1,
  checkHttp2,
  type CheckOptions,
  checkProxyHeaders,
} from "./fuzz/parsers.ts";
import { fuzzWithPeers } from "./fuzz/peers.ts";
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
import { runProgram } from "./program.ts";

/** What can be fuzzed. `peers`: HTTP/2 with clients that others wrote. */
const TARGETS = ["http1", "http2", "hpack", "proxy", "peers"] as const;
type FuzzTarget = (typeof TARGETS)[number];

const OPTIONS: Readonly<Record<string, Option>> = {
  minutes: { type: "string", value: "N", default: "1", help: "minutes for each" },
  target: { type: "string", value: TARGETS.join("|"), help: "only this one" },
  seed: { type: "string", value: "N", help: "the first seed; by default a random one" },
  path: { type: "string", value: "PATH", help: "the case of --seed that failed, and no other" },
  help: { type: "boolean", help: "print this" },
};

/** Cases of each seed. */
const BATCH = 1000;

/** Milliseconds between the lines that say how far it is. */
const PROGRESS = 30_000;

async function main(args: readonly string[]): Promise<boolean> {
  const given = parseOptions(args, OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(`Usage: bun bench/fuzz.ts [options]\n${formatOptions(OPTIONS)}`);
    return true;
  }
  const chosen = givenChoice(given, "target", TARGETS);
  const path = given.texts.get("path")?.at(-1);
  if (path !== undefined && (chosen === undefined || !given.texts.has("seed")))
    throw new UsageError("--path needs --target and --seed");
  let succeeded = true;
  for (const target of chosen === undefined ? TARGETS : [chosen])
    succeeded = (await fuzz(target, given, path)) && succeeded;
  return succeeded;
}

/** Fuzzes one target, and prints how it went. False: something failed. */
async function fuzz(
  target: FuzzTarget,
  given: GivenOptions,
  path: string | undefined,
): Promise<boolean> {
  const time = 60_000 * requiredCount(given, "minutes", 1);
  const seed = givenCount(given, "seed", 0) ?? Math.floor(Math.random() * 1e9);
  process.stdout.write(`${target}: from seed ${seed}\n`);
  if (target === "peers") {
    const { requests, failure } = await fuzzWithPeers(seed, time);
    process.stdout.write(`${target}: ${requests} requests, ${failure ?? "nothing failed"}\n`);
    return failure === undefined;
  }
  await using stack = new AsyncDisposableStack();
  const check = await checkerOf(target, stack);
  if (path !== undefined) return report(target, seed, await check({ seed, numRuns: BATCH, path }));
  const end = performance.now() + time;
  const memory = process.memoryUsage().rss;
  let cases = 0;
  let next = seed;
  let told = performance.now();
  while (performance.now() < end) {
    const checked = await check({ seed: next, numRuns: BATCH });
    if (checked.failure !== undefined) return report(target, next, checked);
    cases += checked.cases;
    next++;
    if (performance.now() - told < PROGRESS) continue;
    told = performance.now();
    process.stdout.write(`${target}: ${cases} cases, up to seed ${next - 1}\n`);
  }
  const grown = (process.memoryUsage().rss - memory) / 1e6;
  process.stdout.write(
    `${target}: ${cases} cases, seeds ${seed} to ${next - 1}, nothing failed, ${grown.toFixed(0)} MB more memory\n`,
  );
  return true;
}

async function checkerOf(
  target: Exclude<FuzzTarget, "peers">,
  stack: AsyncDisposableStack,
): Promise<(options: CheckOptions) => Promise<Checked>> {
  switch (target) {
    case "http1":
      return checkHttp1;
    case "http2":
      return checkHttp2;
    case "proxy":
      return checkProxyHeaders;
    case "hpack": {
      const oracle = stack.use(await HpackOracle.start());
      return (options) => checkHpack(options, oracle);
    }
  }
}

function report(target: FuzzTarget, seed: number, { failure }: Checked): boolean {
  if (failure === undefined) {
    process.stdout.write(`${target}: nothing failed\n`);
    return true;
  }
  const path = /path: "([\d:]+)"/.exec(failure)?.[1] ?? "";
  process.stdout.write(
    `${failure}\nagain: bun bench/fuzz.ts --target ${target} --seed ${seed} --path ${path}\n`,
  );
  return false;
}

await runProgram(async (args) => ((await main(args)) ? 0 : 1));
