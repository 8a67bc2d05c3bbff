/** The phases of a measurement: peers start, warm up, are watched for a while, and stop. */

import { approachTo, type Transport } from "./approach.ts";
import type { IdleResult, MatchingResult } from "./load-result.ts";
import { Peers } from "./peers.ts";
import { type MemoryStatus, readMemory } from "./process-usage.ts";
import { median } from "./statistics.ts";
import type { Sightings } from "./tally.ts";
import { summarizeClients, watch } from "./window.ts";

/** Where the server is, and which process tree is charged for it. */
export interface Server {
  readonly port: number;
  readonly pid: number;
}

export interface MatchingLoad {
  /** How many proxies wait at any time; a server of constants has none. */
  readonly proxies: number | "constant";
  readonly clients: number;
  readonly transport: Transport;
  /** Lengths of the phases in s. */
  readonly warmup: number;
  readonly seconds: number;
}

/** Called once a second with the phase and what the peers have seen in it. */
export type Progress = (phase: string, seen: Sightings) => void;

/** Of peers that match: at 50,000 polls/s none comes back within the 20 s for which brokers refuse it. */
export const MATCHING_ADDRESSES = 1 << 20;
/** Idle proxies poll every 10 s, so each address rests 30 s. */
const ADDRESSES_PER_IDLE_PROXY = 3;

/**
 * Memory is settled when the medians of two windows of readings, one after the other, differ less than this. Garbage
 * collectors make it rise and fall within a window for ever.
 */
const SETTLED_CHANGE = 0.02;
/** Length of such a window in s, which is also the number of readings: longer than a poll, so all come and go in it. */
const SETTLING_WINDOW = 12;
/** The same before the first connection. */
const BASELINE_WINDOW = 3;
/** Longest time to wait for memory to settle, in s. */
const SETTLING_LIMIT = 120;

/** Measures a closed loop of clients. Only what happens within the window counts. */
export async function measureMatching(
  server: Server,
  load: MatchingLoad,
  progress: Progress,
): Promise<MatchingResult> {
  const peers = new Peers(approachTo(server.port, load.transport), MATCHING_ADDRESSES);
  const { tally } = peers;
  let phase = "start";
  using _ = everySecond(() => progress(phase, tally));
  try {
    if (load.proxies === "constant") {
      peers.startConstantPairs(load.clients);
    } else {
      await peers.startProxies(load.proxies, load.clients);
      peers.startClients(load.clients);
    }
    phase = "warm-up";
    await Bun.sleep(load.warmup * 1000);

    phase = "window";
    const window = await watch(server.pid, load.seconds, tally, [tally]);

    phase = "end";
    await peers.stopClients();
    const { seconds, residentKb, peakKb, idlePolls, generatorLoad } = window;
    const clients = summarizeClients(window.latencies.flat(), seconds, tally);
    return {
      kind: "matching",
      seconds,
      ...clients,
      cpuPerMatch: window.serverCpu.tree / clients.matches,
      firstCpuPerMatch: window.serverCpu.first / clients.matches,
      residentKb,
      peakKb,
      idlePolls,
      generatorLoad,
      errors: Object.fromEntries(tally.errors),
    };
  } finally {
    peers.close();
  }
}

/** Measures what waiting costs: memory with `count` proxies that no client wants, less memory without. */
export async function measureIdle(
  server: Server,
  count: number,
  transport: Transport,
  progress: Progress,
): Promise<IdleResult> {
  const peers = new Peers(approachTo(server.port, transport), ADDRESSES_PER_IDLE_PROXY * count);
  const { tally } = peers;
  let phase = "baseline";
  using _ = everySecond(() => progress(phase, tally));
  try {
    const baseline = await settledMemory(server.pid, BASELINE_WINDOW, () => true);
    phase = "start";
    await peers.startProxies(count, 0);
    phase = "settling";
    const loaded = await settledMemory(server.pid, SETTLING_WINDOW, () => tally.waiting === count);
    return {
      kind: "idle",
      waiting: tally.waiting,
      baselineKb: baseline.residentKb,
      residentKb: loaded.residentKb,
      peakKb: loaded.peakKb,
      kbPerProxy: (loaded.residentKb - baseline.residentKb) / count,
      settleSeconds: loaded.seconds,
      settled: baseline.settled && loaded.settled,
      errors: Object.fromEntries(tally.errors),
    };
  } finally {
    peers.close();
  }
}

interface SettledMemory extends MemoryStatus {
  readonly seconds: number;
  readonly settled: boolean;
}

/** Reads memory once a second until it stays the same; only readings taken while `isValid` count. */
async function settledMemory(
  pid: number,
  window: number,
  isValid: () => boolean,
): Promise<SettledMemory> {
  const residents: number[] = [];
  for (let seconds = 1; ; seconds++) {
    await Bun.sleep(1000);
    const { residentKb, peakKb } = readMemory(pid);
    if (isValid()) residents.push(residentKb);
    const now = median(residents.slice(-window));
    const before = median(residents.slice(-2 * window, -window));
    const settled =
      residents.length >= 2 * window && Math.abs(now - before) < SETTLED_CHANGE * before;
    if (!settled && seconds < SETTLING_LIMIT) continue;
    if (residents.length === 0) throw new Error("the proxies were never all waiting");
    return { residentKb: now, peakKb, seconds, settled };
  }
}

/** Acts once a second until it is disposed of. */
export function everySecond(action: () => void): Disposable {
  const timer = setInterval(action, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
