/** What a benchmark measures: servers, each under a load. */

import { AwsEnvironment } from "../test/frontend/sqs/aws-environment.ts";
import { FauxqsProcess } from "../test/frontend/sqs/fauxqs-process.ts";
import type { Transport } from "./approach.ts";
import type { LoadResult } from "./load-result.ts";
import { type GivenOptions, requiredCount } from "./options.ts";
import { runLoad, startServer } from "./processes.ts";
import { onOneCore, OURS, OURS_WITH_SQS, PLAIN, splitTargets, type Target } from "./targets.ts";

/** A server under a load, measured once a round. */
export interface Case {
  readonly name: string;
  /** What the figures are figures of. */
  readonly label: string;
  /** Measures it once, in fresh processes. `options`: more of them for the load generator. */
  run(options: readonly string[], signal: AbortSignal): Promise<LoadResult>;
}

/** How all peers of a benchmark reach the servers. */
export interface Way {
  readonly transport: Transport;
  /** Flags of the servers that name a certificate, or say that there is none. */
  readonly flags: readonly string[];
}

/** Without TLS. */
export const PLAIN_WAY: Way = { transport: "plain", flags: PLAIN.transport };

/** How many proxies wait in the cases of `--flat`. */
export const FLAT_PROXIES = [200, 15_000];

/** Each server with clients. */
export function matchingCases(
  targets: readonly Target[],
  given: GivenOptions,
  way: Way = PLAIN_WAY,
): Case[] {
  const proxies = ["--proxies", String(requiredCount(given, "proxies", 1))];
  return targets.map((target) =>
    caseOf(target, way, [
      ...(target.constant ? ["--constant"] : proxies),
      ...loadOptions(given, ["clients", "seconds"]),
    ]),
  );
}

/**
 * This broker split and whole; one http-frontend also with one core of the machine for everything, as two have two. For
 * peers whose handshakes are what costs most.
 */
export function tlsCases(given: GivenOptions, way: Way): Case[] {
  const [whole, one, two] = splitTargets();
  return matchingCases([onOneCore(one), whole, one, two], given, way);
}

/** Each server with proxies and no clients. */
export function idleCases(targets: readonly Target[], count: number, way: Way): Case[] {
  return targets.map((target) => caseOf(target, way, ["--idle", String(count)]));
}

/** Each server that makes polls wait with proxies that poll once a minute. */
export function fieldCases(
  targets: readonly Target[],
  count: number,
  given: GivenOptions,
  way: Way,
): Case[] {
  const load = ["--field", String(count), ...loadOptions(given, ["seconds"])];
  return targets.filter(({ constant }) => !constant).map((target) => caseOf(target, way, load));
}

/** This broker with few and with many proxies waiting. */
export function flatCases(given: GivenOptions, way: Way): Case[] {
  return FLAT_PROXIES.map((proxies) => ({
    ...caseOf(OURS, way, [
      "--proxies",
      String(proxies),
      ...loadOptions(given, ["clients", "seconds"]),
    ]),
    name: `${proxies} waiting`,
    label: `${OURS.label}, ${proxies} proxies waiting`,
  }));
}

/** This broker with clients that come by every way at once. */
export function mixedCase(given: GivenOptions): Case {
  const load = loadOptions(given, ["proxies", "clients", "amp-clients", "sqs-clients", "seconds"]);
  return {
    name: "mixed",
    label: OURS_WITH_SQS.label,
    async run(options, signal) {
      await using sqs = await FauxqsProcess.start();
      using _ = new AwsEnvironment(sqs.endpoint);
      const entry = caseOf(OURS_WITH_SQS, PLAIN_WAY, [...load, "--sqs-port", String(sqs.port)]);
      return await entry.run(options, signal);
    },
  };
}

function caseOf(target: Target, { transport, flags }: Way, load: readonly string[]): Case {
  const setup = { transport: flags, holdPolls: load.includes("--idle") };
  return {
    name: target.name,
    label: target.label,
    async run(options, signal) {
      await using server = await startServer(target, setup, signal);
      return await runLoad(server, ["--transport", transport, ...load, ...options], signal);
    },
  };
}

/** The load generator's options that a benchmark has, too. */
function loadOptions(given: GivenOptions, names: readonly string[]): string[] {
  return [...names, "warmup"].flatMap((name) => [
    `--${name}`,
    String(requiredCount(given, name, name === "warmup" ? 0 : 1)),
  ]);
}
