/** A broker with a real clock behind a real HTTP server on a free port of the loopback interface. */

import { DEFAULT_BRIDGES } from "../../src/broker/bridge-list.ts";
import { NO_EVENTS } from "../../src/broker/events.ts";
import { LocalBroker } from "../../src/broker/local-broker.ts";
import { DEFAULT_POLL_INTERVALS } from "../../src/broker/policy/poll-intervals.ts";
import type { HttpPortParts } from "../../src/frontend/http/http-port.ts";
import { NO_REFUSAL_EVENTS } from "../../src/frontend/refusals.ts";
import { parseRelayPattern } from "../../src/messages/relay-pattern.ts";
import { systemClock } from "../../src/system/system-clock.ts";
import { type HttpFrontend, startHttpFrontend } from "./http-frontend.ts";

export interface TestServer extends HttpFrontend {
  readonly broker: LocalBroker;
}

export function startTestServer(parts: Partial<HttpPortParts> = {}): TestServer {
  const broker = new LocalBroker({
    clock: systemClock,
    events: NO_EVENTS,
    bridges: DEFAULT_BRIDGES,
    pollIntervals: DEFAULT_POLL_INTERVALS,
    allowedRelayPattern: parseRelayPattern("snowflake.torproject.net"),
    limits: { waitingProxies: 100_000, clients: 100_000, rateLimitEntries: 100_000 },
    ipv6Prefix: 64,
    hashAddress: (address) => Bun.hash.xxHash32(address),
  });
  const frontend = startHttpFrontend({ broker, refusals: NO_REFUSAL_EVENTS }, parts);
  return {
    ...frontend,
    broker,
    async [Symbol.asyncDispose]() {
      await broker.drain();
      await frontend.server.stop();
    },
  };
}
