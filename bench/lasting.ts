/**
 * What becomes dearer with time: costs measured past every lifetime in the program, of which the longest under load is
 * that of an address in the poll limiter, 20 s. `bun bench/lasting.ts [MINUTES]`, five by default.
 *
 * First the limiter alone, on a clock of its own, so that a minute of polls takes a second. Then a whole broker over
 * HTTP, whose every poll and offer comes from an address that no other came from.
 */

import { PollAllowance } from "../src/broker/policy/poll-allowance.ts";
import { approachTo } from "./approach.ts";
import { Peers } from "./peers.ts";
import { startServer } from "./processes.ts";
import { OURS, PLAIN } from "./targets.ts";
import { watch } from "./window.ts";

/** New addresses a second. */
const RATES = [500, 1_500, 5_000];

/** Poll intervals in ms: as by default, and one that a SIGHUP shortens it to. */
const INTERVAL = 20_000;
const SHORT_INTERVAL = 1_000;

/** No address comes back in a run. */
const ADDRESSES = 2 ** 30;

const PROXIES = 200;
const CLIENTS = 16;
/** Seconds of load before the first minute counts: all code is compiled by then. */
const WARMUP = 10;

/** Polls from ever new addresses, and what they cost. */
class LimiterLoad {
  readonly #allowance = new PollAllowance(INTERVAL, 1_000_000);
  readonly #msBetween: number;
  #key = 0;
  #now = 0;

  constructor(rate: number) {
    this.#msBetween = 1_000 / rate;
  }

  set interval(ms: number) {
    this.#allowance.interval = ms;
  }

  get entries(): number {
    return this.#allowance.size;
  }

  /** Microseconds a poll, over so many seconds of the load's clock. */
  run(seconds: number): number {
    const polls = Math.round((seconds * 1_000) / this.#msBetween);
    const start = performance.now();
    for (let i = 0; i < polls; i++) {
      this.#now += this.#msBetween;
      this.#key++;
      this.#allowance.mustWaitUntil(this.#key, this.#now);
      this.#allowance.note(this.#key, this.#now);
    }
    return ((performance.now() - start) * 1_000) / polls;
  }
}

function measureLimiter(): void {
  console.log("limiter alone, µs a poll");
  console.log("new/s    first 15 s  25 to 40 s  after 60 s  interval cut, entries left");
  for (const rate of RATES) {
    const load = new LimiterLoad(rate);
    const first = load.run(15);
    load.run(10);
    const past = load.run(15);
    load.run(20);
    const minute = load.run(15);
    load.interval = SHORT_INTERVAL;
    load.run(25);
    const columns = [first, past, minute].map((cost) => cost.toFixed(2).padStart(10));
    console.log(`${String(rate).padEnd(7)}  ${columns.join("  ")}  ${load.entries}`);
  }
}

async function measureBroker(minutes: number, signal: AbortSignal): Promise<void> {
  await using server = await startServer(OURS, PLAIN, signal);
  const peers = new Peers(approachTo(server.port), ADDRESSES);
  try {
    await peers.startProxies(PROXIES, CLIENTS);
    peers.startClients(CLIENTS);
    await Bun.sleep(WARMUP * 1_000);
    console.log("whole broker, every peer from a new address");
    console.log("minute  CPU µs/match  matches/s  RSS MB  errors");
    const costs: number[] = [];
    for (let minute = 1; minute <= minutes; minute++) {
      const window = await watch(server.pid, 60, peers.tally, [peers.tally]);
      const matches = window.latencies.flat().length;
      const cost = window.serverCpu.tree / matches;
      costs.push(cost);
      const rate = (matches / window.seconds).toFixed(0);
      const rss = (window.residentKb / 1024).toFixed(0);
      console.log(
        `${String(minute).padEnd(6)}  ${cost.toFixed(1).padStart(12)}  ${rate.padStart(9)}  ${rss.padStart(6)}  ${peers.tally.errorCount}`,
      );
    }
    console.log(`last minute / first: ${((costs.at(-1) ?? 0) / (costs[0] ?? 1)).toFixed(2)}`);
    await peers.stopClients();
  } finally {
    peers.close();
  }
}

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());
measureLimiter();
await measureBroker(Number(process.argv[2] ?? 5), interrupted.signal);
process.exit();
