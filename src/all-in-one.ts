/** The default role: everything in one process. Reading this is reading how the parts hang together. */

import { createAddressHash } from "./address-hash.ts";
import { LocalBroker } from "./broker/local-broker.ts";
import { DEFAULT_CONFIGURATION, readConfiguration } from "./configuration-files.ts";
import { createRoutes } from "./frontend/http/routes.ts";
import { HttpServer } from "./frontend/http/server.ts";
import { type RunningSqs, startSqs } from "./frontend/sqs/start-sqs.ts";
import { LifeCycle } from "./life-cycle.ts";
import type { Logger } from "./log/logger.ts";
import { parseRelayPattern } from "./messages/relay-pattern.ts";
import { startStatistics } from "./metrics/statistics.ts";
import type { Options } from "./options.ts";
import { systemClock } from "./system-clock.ts";
import { readCertificate } from "./tls/certificate-files.ts";

/** A broker that is up. */
export interface RunningBroker {
  /** Where it listens, as a URL. */
  readonly url: string;
  /** Reads the configuration and country files again: SIGHUP. */
  reload(): Promise<void>;
  /** Drains and exits, or exits at once if it is draining already: SIGTERM and SIGINT. */
  stop(reason: string): Promise<void>;
}

export type Started =
  | { readonly ok: true; readonly broker: RunningBroker }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

/** Starts the broker; `exit` is called once, when it has stopped. */
export async function startAllInOne(
  options: Options,
  log: Logger,
  exit: (code: number) => void,
): Promise<Started> {
  const read = readConfiguration(options, DEFAULT_CONFIGURATION);
  if (!read.ok) return read;
  let { configuration } = read;

  const certificate = readCertificate(options.transport);
  if (!certificate.ok) return certificate;

  const hashAddress = createAddressHash();
  const counting = await startStatistics({
    ...options,
    clock: systemClock,
    log,
    hashAddress,
    load: () => ({
      waitingByPoolAndType: broker.waitingByPoolAndType(),
      matchesInFlight: broker.load.clients,
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
    limits: {
      waitingProxies: options.maxWaitingProxies,
      clients: options.maxClients,
      rateLimitEntries: options.maxRateLimitEntries,
    },
    hashAddress,
  });

  const destination = { broker, refusals: statistics.recorder };
  let server: HttpServer;
  try {
    server = new HttpServer({
      ...options.addr,
      tls: certificate.tls,
      handler: createRoutes({
        ...destination,
        trustedHops: options.trustedHops,
        prometheus: statistics.prometheus,
        metricsLog: options.metricsLog,
      }),
      onBug: (error) => log.error("a request failed", { error: String(error) }),
    });
  } catch (error) {
    return { ok: false, error: `cannot listen: ${String(error)}` };
  }
  let sqs: RunningSqs | undefined;
  if (options.sqs !== undefined) {
    try {
      sqs = await startSqs({ ...options.sqs, destination, log, events: statistics.prometheus.sqs });
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  }

  const lifeCycle = new LifeCycle({
    async drain() {
      server.closeConnections();
      const sqsStopped = sqs?.stop();
      // Until the last client has its answer the port stays open: its proxy may have to connect to bring it.
      await broker.drain();
      await sqsStopped;
      await server.stop();
      await statistics.stop();
    },
    exit,
    report: (message) => log.info(message),
  });

  log.info(`listening on ${server.url}`);
  lifeCycle.ready();

  return {
    ok: true,
    broker: {
      url: server.url,
      stop: (reason) => lifeCycle.stop(reason),
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
    },
  };
}
