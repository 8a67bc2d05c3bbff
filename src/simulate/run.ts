/** One run: a population, a broker with a policy, and a stretch of time. */

import { drainMicrotasks } from "bun:jsc";

import { DEFAULT_BRIDGES } from "../broker/bridge-list.ts";
import { NO_EVENTS } from "../broker/events.ts";
import { LocalBroker } from "../broker/local-broker.ts";
import { countryOf } from "./countries.ts";
import type { PolicyParts } from "./policies.ts";
import { Population } from "./population.ts";
import { RestartingBroker } from "./restarting-broker.ts";
import type { Scenario } from "./scenario.ts";
import { PARTS, Tally } from "./tally.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** More than any scenario needs at full size, so that no limit is met. */
const NO_LIMITS = { waitingProxies: 1e6, clients: 1e6, rateLimitEntries: 1e6 };

/** What else determines a run. */
export interface RunOptions {
  readonly seed: number;
  /** The population is so many times smaller than the scenario's. */
  readonly scale: number;
  /** Told now and then which share of the run is done. */
  readonly onProgress?: (share: number) => void;
}

/** What came of a run. */
export interface RunResult {
  readonly tally: Tally;
  /** Invariants of the broker that did not hold at the end. */
  readonly faults: readonly string[];
}

/**
 * Runs a scenario with a policy. The same arguments give the same result. It does not return before it is done: peers'
 * promises are settled between two timers, so that all that happens at one time happens before the next.
 */
export function run(scenario: Scenario, policy: PolicyParts, options: RunOptions): RunResult {
  const { warmUp, duration, volunteers, people } = scenario;
  const clock = new VirtualClock(drainMicrotasks);
  const broker = new RestartingBroker(
    clock,
    () =>
      new LocalBroker({
        clock,
        events: NO_EVENTS,
        bridges: DEFAULT_BRIDGES,
        allowedRelayPattern: undefined,
        limits: NO_LIMITS,
        countryOf,
        ipv6Prefix: 64,
        hashAddress: (address) => Bun.hash.crc32(address),
        pollIntervals: policy.pollIntervals,
        // A pool of a population that is so many times smaller has a share of it in reserve.
        policy: { ...policy.policy, leastReserve: policy.policy.leastReserve / options.scale },
      }),
  );
  const tally = new Tally(warmUp, duration);
  const channels = new Set<() => void>();
  const { unluckyPairs } = scenario;
  const { seed, scale } = options;
  const field = { clock, broker, tally, sessions: new Map(), channels, seed, unluckyPairs };
  const population = new Population(field, volunteers, people, scale);
  population.begin();

  for (const { at, happens } of scenario.incidents) {
    clock.callAt(warmUp + at, () => happens({ broker, population, channels }));
  }
  for (let part = 0; part < PARTS; part++) {
    clock.advance((warmUp + duration) / PARTS);
    options.onProgress?.((part + 1) / PARTS);
  }
  return { tally, faults: broker.consistencyCheck() };
}
