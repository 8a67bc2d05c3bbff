/** What a benchmark measures: servers, each under a load. */

import { AwsEnvironment } from "../test/frontend/sqs/aws-environment.ts";
import { FauxqsProcess } from "../test/frontend/sqs/fauxqs-process.ts";
import type { LoadResult } from "./load-result.ts";
import { type GivenOptions, requiredCount } from "./options.ts";
import { runLoad, startServer } from "./processes.ts";
import { onOneCore, OURS, OURS_WITH_SQS, splitTargets, type Target } from "./targets.ts";
import type { TlsFlags } from "./tls-flags.ts";

/** A server under a load, measured once a round. */
export interface Case {
  readonly name: string;
  /** What the figures are figures of. */
  readonly label: string;
  /** Measures it once, in fresh processes. `options`: more of them for the load generator. */
  run(options: readonly string[], signal: AbortSignal): Promise<LoadResult>;
}

/** How many proxies wait in the cases of `--flat`. */
export const FLAT_PROXIES = [200, 10_000];

/** Each server with clients. */
export function matchingCases(targets: readonly Target[], given: GivenOptions): Case[] {
  const proxies = ["--proxies", String(requiredCount(given, "proxies", 1))];
  return targets.map((target) =>
    caseOf(target, false, [
      ...(target.constant ? ["--constant"] : proxies),
      ...loadOptions(given, ["clients", "seconds"]),
    ]),
  );
}

/**
 * This broker split and whole, each request on a new TLS connection; one http-frontend also with one core of the machine
 * for everything, as two have two.
 */
export function tlsCases({ transport }: TlsFlags, given: GivenOptions): Case[] {
  const [whole, one, two] = splitTargets(transport);
  return [onOneCore(one), whole, one, two].map((target) =>
    caseOf(target, false, ["--tls", ...loadOptions(given, ["proxies", "clients", "seconds"])]),
  );
}

/** Each server with proxies and no clients. */
export function idleCases(targets: readonly Target[], count: number): Case[] {
  return targets.map((target) => caseOf(target, true, ["--idle", String(count)]));
}

/** This broker with few and with many proxies waiting. */
export function flatCases(given: GivenOptions): Case[] {
  return FLAT_PROXIES.map((proxies) => ({
    ...caseOf(OURS, false, [
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
      const entry = caseOf(OURS_WITH_SQS, false, [...load, "--sqs-port", String(sqs.port)]);
      return await entry.run(options, signal);
    },
  };
}

function caseOf(target: Target, holdPolls: boolean, load: readonly string[]): Case {
  return {
    name: target.name,
    label: target.label,
    async run(options, signal) {
      await using server = await startServer(target, holdPolls, signal);
      return await runLoad(server, [...load, ...options], signal);
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
