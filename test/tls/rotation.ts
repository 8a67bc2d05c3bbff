/**
 * A broker that changes its certificate again and again under load, in a process of its own so that it can be in a
 * network of its own. Its arguments are the numbers of rotations and of those who make the load. It prints what was counted, as JSON.
 */

import { join } from "node:path";

import { DEFAULT_BRIDGES } from "../../src/broker/bridge-list.ts";
import { NO_EVENTS } from "../../src/broker/events.ts";
import { LocalBroker } from "../../src/broker/local-broker.ts";
import { NO_REFUSAL_EVENTS } from "../../src/frontend/refusals.ts";
import { systemClock } from "../../src/system/system-clock.ts";
import { until } from "../interop/waiting.ts";
import { startHttpFrontend } from "../kit/http-frontend.ts";
import { Counts } from "./counts.ts";
import { makeCertificate } from "./made-certificate.ts";
import { servedSerial } from "./served-serial.ts";

/** Milliseconds in which new connections are watched after a rotation. */
const WATCH = 1_200;

const [rotations = "0", ...load] = process.argv.slice(2);
const proxies = Number(load[0]);
const certificates = Array.from({ length: Number(rotations) + 1 }, () =>
  makeCertificate(["a.example"]),
);
const [first, ...others] = certificates;
if (first === undefined) throw new Error("no certificate");

const broker = new LocalBroker({
  clock: systemClock,
  events: NO_EVENTS,
  bridges: DEFAULT_BRIDGES,
  // Proxies come back at once.
  pollIntervals: { open: 0, moderate: 0, strict: 0 },
  allowedRelayPattern: undefined,
  limits: { waitingProxies: 100_000, clients: 100_000, rateLimitEntries: 100_000 },
  ipv6Prefix: 64,
  hashAddress: (address) => Bun.hash.xxHash32(address),
});
let bugs = 0;
const { server, port } = startHttpFrontend(
  { broker, refusals: NO_REFUSAL_EVENTS },
  { tls: first.tls, onBug: () => bugs++ },
);

const peers = Bun.spawn(
  [process.execPath, join(import.meta.dir, "rotation-load.ts"), String(port), ...load],
  { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
);
const waiting = await until(20_000, "proxies", async () => {
  const { total } = await broker.sessions();
  // Some are always on their way.
  return total > proxies * 0.9 ? total : undefined;
});

let slowest = 0;
for (const { tls, serialNumber } of others) {
  server.replaceCertificate(tls);
  const start = performance.now();
  for (let asked = start; asked < start + WATCH; asked = performance.now()) {
    try {
      if ((await servedSerial(port)) !== serialNumber) slowest = Math.max(slowest, asked - start);
    } catch {
      // One that is reset is not counted here: the others' tell enough.
    }
    await Bun.sleep(5);
  }
}

await peers.stdin.end();
// The waiting proxies are sent home; nothing more is counted.
const [text] = await Promise.all([peers.stdout.text(), broker.drain()]);
const counts = Counts.parse(text);
counts.add("waiting", waiting);
counts.add("slowest", Math.round(slowest));
counts.add("bugs", bugs);
console.log(counts.format());
process.exit(0);
