/** The time in which a load is watched, and what is seen of clients in it. */

import { type CpuTime, readCpuTime, readMemory } from "./process-usage.ts";
import { percentile } from "./statistics.ts";
import type { Tally } from "./tally.ts";

/** What happened in a window. */
export interface Window {
  /** Its length in s. */
  readonly seconds: number;
  /** CPU time of the server's processes. */
  readonly serverCpu: CpuTime;
  /** How much of one core the generator used, 0 to 1. */
  readonly generatorLoad: number;
  /** Resident memory of the tree at the end, and the most it ever was, in KB. */
  readonly residentKb: number;
  readonly peakKb: number;
  /** Polls that ended without a client. */
  readonly idlePolls: number;
  /** For each tally of clients, in order: its matches, from the fastest to the slowest, in ms. */
  readonly latencies: readonly (readonly number[])[];
}

/** Matches of some of the clients. */
export interface ClientFigures {
  readonly matches: number;
  readonly matchesPerSecond: number;
  /** From a client's request to its answer, in ms. */
  readonly latencyP50: number;
  readonly latencyP99: number;
  readonly latencyMax: number;
}

/** Watches for so many seconds. `server`: its process id; `proxies`: the tally that knows of polls. */
export async function watch(
  server: number,
  seconds: number,
  proxies: Tally,
  clients: readonly Tally[],
): Promise<Window> {
  const before = takeReading(server, proxies, clients);
  await Bun.sleep(seconds * 1000);
  const after = takeReading(server, proxies, clients);
  const { residentKb, peakKb } = readMemory(server);
  const elapsed = (after.time - before.time) / 1000;
  return {
    seconds: elapsed,
    serverCpu: {
      tree: after.serverCpu.tree - before.serverCpu.tree,
      first: after.serverCpu.first - before.serverCpu.first,
    },
    generatorLoad: (after.generatorCpu - before.generatorCpu) / 1e6 / elapsed,
    residentKb,
    peakKb,
    idlePolls: after.idlePolls - before.idlePolls,
    latencies: clients.map(({ latencies }, at) =>
      latencies.slice(before.matches[at], after.matches[at]).toSorted((a, b) => a - b),
    ),
  };
}

/** What the latencies of a window come to. Throws, naming the errors, if there was no match. */
export function summarizeClients(
  latencies: readonly number[],
  seconds: number,
  { errors }: Tally,
): ClientFigures {
  const matches = latencies.length;
  if (matches === 0)
    throw new Error(`no match within the window: ${[...errors.keys()].join(", ")}`);
  return {
    matches,
    matchesPerSecond: matches / seconds,
    latencyP50: percentile(latencies, 50),
    latencyP99: percentile(latencies, 99),
    latencyMax: percentile(latencies, 100),
  };
}

/** One end of the window. Everything but `time`, in ms, counts from some start. */
interface Reading {
  readonly time: number;
  readonly serverCpu: CpuTime;
  /** In µs. */
  readonly generatorCpu: number;
  readonly idlePolls: number;
  readonly matches: readonly number[];
}

function takeReading(server: number, proxies: Tally, clients: readonly Tally[]): Reading {
  const { user, system } = process.cpuUsage();
  return {
    time: performance.now(),
    serverCpu: readCpuTime(server),
    generatorCpu: user + system,
    idlePolls: proxies.idlePolls,
    matches: clients.map(({ matches }) => matches),
  };
}
