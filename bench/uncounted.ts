/**
 * This broker with nothing counted: no daily report, no Prometheus, no countries, no journals. Put together as
 * src/roles/all-in-one.ts does otherwise, from the same flags, so that what it saves is what counting costs.
 */

import { NO_EVENTS } from "../src/broker/events.ts";
import { LocalBroker } from "../src/broker/local-broker.ts";
import { parseOptions } from "../src/cli/options.ts";
import { DEFAULT_CONFIGURATION, readConfiguration } from "../src/config/configuration-files.ts";
import { NO_REFUSAL_EVENTS } from "../src/frontend/refusals.ts";
import { NO_CONNECTION_EVENTS } from "../src/http/server.ts";
import { createLogger } from "../src/log/logger.ts";
import { parseRelayPattern } from "../src/messages/relay-pattern.ts";
import { startListening } from "../src/roles/http-service.ts";
import { createAddressHash } from "../src/system/address-hash.ts";
import { systemClock } from "../src/system/system-clock.ts";
import { NO_CERTIFICATE_EVENTS } from "../src/tls/certificate-events.ts";

async function main(args: readonly string[]): Promise<void> {
  const commandLine = parseOptions(args);
  if (commandLine.kind !== "run" || commandLine.run.role !== "all-in-one")
    throw new Error("not the command line of a broker that runs");
  const { options } = commandLine.run;

  const read = readConfiguration(options, DEFAULT_CONFIGURATION);
  if (!read.ok) throw new Error(read.error);
  const broker = new LocalBroker({
    clock: systemClock,
    events: NO_EVENTS,
    ...read.configuration,
    allowedRelayPattern:
      options.allowedRelayPattern === undefined
        ? undefined
        : parseRelayPattern(options.allowedRelayPattern),
    limits: {
      waitingProxies: options.maxWaitingProxies,
      clients: options.maxClients,
      rateLimitEntries: options.maxRateLimitEntries,
    },
    ipv6Prefix: 64,
    hashAddress: createAddressHash(),
  });
  const listened = startListening({
    options,
    destination: { broker, refusals: NO_REFUSAL_EVENTS },
    prometheus: { exposition: () => Promise.resolve("") },
    connectionEvents: NO_CONNECTION_EVENTS,
    certificateEvents: NO_CERTIFICATE_EVENTS,
    log: createLogger({
      format: options.logFormat,
      level: options.logLevel,
      unsafe: options.unsafeLogging,
      write: (chunk) => void process.stderr.write(chunk),
      now: () => new Date(),
    }),
    onLost: () => process.exit(1),
  });
  if (!listened.ok) throw new Error(listened.error);
}

await main(process.argv.slice(2));
