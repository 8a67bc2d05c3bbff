/** A broker behind a real HTTP server on a free port of the loopback interface. */

import { DEFAULT_BRIDGES } from "../../src/broker/bridge-list.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { NO_EVENTS } from "../../src/broker/events.ts";
import { LocalBroker } from "../../src/broker/local-broker.ts";
import { DEFAULT_POLL_INTERVALS } from "../../src/broker/poll-intervals.ts";
import { createRoutes, type Handler } from "../../src/frontend/http/routes.ts";
import { HttpServer, type HttpServerParts } from "../../src/frontend/http/server.ts";
import { NO_REFUSAL_EVENTS } from "../../src/frontend/refusals.ts";
import { parseRelayPattern } from "../../src/messages/relay-pattern.ts";
import { systemClock } from "../../src/system-clock.ts";

export interface TestServer extends AsyncDisposable {
  readonly broker: LocalBroker;
  readonly server: HttpServer;
  readonly port: number;
  /** What handlers threw: nothing, or the test has found a bug. */
  readonly bugs: readonly unknown[];
}

export function startTestServer(parts: Partial<HttpServerParts> = {}): TestServer {
  const broker = new LocalBroker({
    clock: systemClock,
    events: NO_EVENTS,
    bridges: DEFAULT_BRIDGES,
    pollIntervals: DEFAULT_POLL_INTERVALS,
    allowedRelayPattern: parseRelayPattern("snowflake.torproject.net"),
    limits: { waitingProxies: 100_000, clients: 100_000, rateLimitEntries: 100_000 },
    hashAddress: (address) => Bun.hash.xxHash32(address),
  });
  const bugs: unknown[] = [];
  const server = new HttpServer({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    handler: testRoutes(broker),
    onBug: (error) => bugs.push(error),
    ...parts,
  });
  return {
    broker,
    server,
    port: Number(new URL(server.url).port),
    bugs,
    async [Symbol.asyncDispose]() {
      await broker.drain();
      await server.stop();
    },
  };
}

/** All routes to a broker, with nothing counted. */
export function testRoutes(broker: Broker): Handler {
  return createRoutes({
    broker,
    refusals: NO_REFUSAL_EVENTS,
    trustedHops: 1,
    prometheus: { exposition: () => Promise.resolve("") },
    metricsLog: undefined,
  });
}
