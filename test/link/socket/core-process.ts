/** A core in a process of its own, to be killed: `bun core-process.ts PATH`. Says "ready" when it listens. */

import { DEFAULT_BRIDGES } from "../../../src/broker/bridge-list.ts";
import { NO_EVENTS } from "../../../src/broker/events.ts";
import { LocalBroker } from "../../../src/broker/local-broker.ts";
import { DEFAULT_POLL_INTERVALS } from "../../../src/broker/policy/poll-intervals.ts";
import { serveBrokerOnSocket } from "../../../src/link/socket/socket-server.ts";
import { systemClock } from "../../../src/system/system-clock.ts";

const [path = ""] = process.argv.slice(2);
const served = await serveBrokerOnSocket({
  path,
  broker: new LocalBroker({
    clock: systemClock,
    events: NO_EVENTS,
    bridges: DEFAULT_BRIDGES,
    pollIntervals: DEFAULT_POLL_INTERVALS,
    allowedRelayPattern: undefined,
    limits: { waitingProxies: 1000, clients: 1000, rateLimitEntries: 1000 },
    ipv6Prefix: 64,
    hashAddress: (address) => Bun.hash.crc32(address),
  }),
  pollIntervals: () => DEFAULT_POLL_INTERVALS,
  clock: systemClock,
  page: async () => undefined,
  onCount() {},
  onBug: (error) => console.error(error),
  report() {},
});
console.log(served.ok ? "ready" : served.error);
