/** The half of the program that matches: the broker, the files it goes by, its queues, and everything that is counted. */

import { LocalBroker } from "../broker/local-broker.ts";
import type { MatchingOptions } from "../cli/options.ts";
import { DEFAULT_CONFIGURATION, readConfiguration } from "../config/configuration-files.ts";
import { type RunningSqs, startSqs } from "../frontend/sqs/start-sqs.ts";
import { type RunningCluster, startCluster } from "../link/nats/start-cluster.ts";
import type { Logger } from "../log/logger.ts";
import { parseRelayPattern } from "../messages/relay-pattern.ts";
import { startStatistics, type Statistics } from "../metrics/statistics.ts";
import { createAddressHash } from "../system/address-hash.ts";
import { systemClock } from "../system/system-clock.ts";

export interface Matching {
  readonly broker: LocalBroker;
  readonly statistics: Statistics;
  /** Takes no more clients from queues and other machines, and resolves when those from queues are done with. */
  retire(): Promise<void>;
  /** Leaves the cluster, and writes everything that is in memory only. Never rejects. */
  stop(): Promise<void>;
  /** Reads the configuration and country files again: SIGHUP. What can't be used stays as it is, and the log says why. */
  reload(): Promise<void>;
}

export type StartedMatching =
  | { readonly ok: true; readonly matching: Matching }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

export async function startMatching(
  options: MatchingOptions,
  log: Logger,
): Promise<StartedMatching> {
  const read = readConfiguration(options, DEFAULT_CONFIGURATION);
  if (!read.ok) return read;
  let { configuration } = read;

  const counting = await startStatistics({
    ...options,
    clock: systemClock,
    log,
    load: () => ({
      waitingByPoolAndType: broker.waitingByPoolAndType(),
      matchesInFlight: broker.load.clients - broker.waitingClients,
      waitingClients: broker.waitingClients,
      pollIntervals: broker.intervalsInForce(),
    }),
  });
  if (!counting.ok) return counting;
  const { statistics } = counting;

  const broker = new LocalBroker({
    clock: systemClock,
    events: statistics.recorder,
    ...configuration,
    allowedRelayPattern:
      options.allowedRelayPattern === undefined
        ? undefined
        : parseRelayPattern(options.allowedRelayPattern),
    policy: options.policy,
    countryOf: (address) => statistics.countryOf(address),
    limits: {
      waitingProxies: options.maxWaitingProxies,
      clients: options.maxClients,
      rateLimitEntries: options.maxRateLimitEntries,
    },
    ipv6Prefix: options.ipv6Prefix,
    hashAddress: createAddressHash(),
  });

  let cluster: RunningCluster | undefined;
  if (options.cluster !== undefined) {
    const events = statistics.prometheus.cluster;
    const joined = await startCluster({
      ...options.cluster,
      broker,
      clock: systemClock,
      events,
      log,
    });
    if (!joined.ok) return joined;
    cluster = joined.cluster;
  }

  let sqs: RunningSqs | undefined;
  if (options.sqs !== undefined) {
    const destination = { broker, refusals: statistics.recorder };
    try {
      sqs = await startSqs({ ...options.sqs, destination, log, events: statistics.prometheus.sqs });
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  }

  const matching: Matching = {
    broker,
    statistics,
    async retire() {
      cluster?.retire();
      await sqs?.stop();
    },
    async stop() {
      await cluster?.stop();
      await statistics.stop();
    },
    async reload() {
      const again = readConfiguration(options, configuration);
      if (again.ok) {
        configuration = again.configuration;
        broker.replaceBridges(configuration.bridges);
        broker.replacePollIntervals(configuration.pollIntervals);
        log.info("SIGHUP: configuration reloaded", { bridges: configuration.bridges.size });
      } else {
        log.error(`SIGHUP: nothing is changed: ${again.error}`);
      }
      const countries = await statistics.reloadCountries();
      if (!countries.ok) log.error(`SIGHUP: the old tables stay in use: ${countries.error}`);
    },
  };
  return { ok: true, matching };
}
