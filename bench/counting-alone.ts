/**
 * What counting costs, without HTTP, whose CPU wanders by more than that: matches made within a process by one broker
 * that counts nothing, one that counts as it does by default, and one that counts everything, each in processes of its
 * own, by turns. Every proxy and client has an address of its own: the dearest case. `bun bench/counting-alone.ts`
 */

import type { Broker, Departure } from "../src/broker/broker.ts";
import { NO_EVENTS } from "../src/broker/events.ts";
import { LocalBroker } from "../src/broker/local-broker.ts";
import { parseOptions } from "../src/cli/options.ts";
import { DEFAULT_CONFIGURATION } from "../src/config/configuration-files.ts";
import { createLogger } from "../src/log/logger.ts";
import { parseAddress } from "../src/messages/address-text.ts";
import { writeDescription } from "../src/messages/session-description.ts";
import { isSessionId } from "../src/messages/session-id.ts";
import { startMatching } from "../src/roles/broker-service.ts";
import { createAddressHash } from "../src/system/address-hash.ts";
import { systemClock } from "../src/system/system-clock.ts";
import { AddressCycle } from "./address-cycle.ts";
import { prepareCounting } from "./counting.ts";
import { MATCHING_ADDRESSES } from "./measure.ts";
import { formatAnswer, formatNonce, formatOffer, makeSid } from "./messages.ts";
import { median } from "./statistics.ts";
import { OURS, PLAIN } from "./targets.ts";

const MODES = ["uncounted", "ours", "counting"] as const;
type Mode = (typeof MODES)[number];
const ROUNDS = 5;
const WARMUP_MATCHES = 30_000;
const MATCHES = 150_000;

const STAYS: Departure = { aborted: false, addEventListener() {} };

async function openBroker(mode: Mode, resources: DisposableStack): Promise<Broker> {
  if (mode === "uncounted") {
    return new LocalBroker({
      clock: systemClock,
      events: NO_EVENTS,
      ...DEFAULT_CONFIGURATION,
      allowedRelayPattern: undefined,
      limits: { waitingProxies: 1000, clients: 1000, rateLimitEntries: 1_000_000 },
      ipv6Prefix: 64,
      hashAddress: createAddressHash(),
    });
  }
  const target = mode === "counting" ? resources.use(prepareCounting()).target : OURS;
  const command = target.command(1, PLAIN);
  const commandLine = parseOptions(command.slice(command.indexOf("--disable-tls")));
  if (commandLine.kind !== "run" || commandLine.run.role !== "all-in-one")
    throw new Error("not the command line of a broker that runs");
  const { options } = commandLine.run;
  const log = createLogger({
    format: "text",
    level: "error",
    unsafe: false,
    write: (chunk) => void process.stderr.write(chunk),
    now: () => new Date(),
  });
  const started = await startMatching(options, log);
  if (!started.ok) throw new Error(started.error);
  return started.matching.broker;
}

/** CPU time a match in µs, garbage collection included. */
async function measure(broker: Broker): Promise<number> {
  const addresses = new AddressCycle(MATCHING_ADDRESSES);
  await makeMatches(broker, addresses, WARMUP_MATCHES);
  const before = process.cpuUsage();
  await makeMatches(broker, addresses, MATCHES);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MATCHES;
}

async function makeMatches(broker: Broker, addresses: AddressCycle, count: number): Promise<void> {
  for (let serial = 0; serial < count; serial++) {
    const sid = makeSid();
    if (!isSessionId(sid)) throw new Error("not a session id");
    const nonce = formatNonce(serial);
    const polled = broker.poll(
      {
        sid,
        type: "standalone",
        nat: serial % 4 === 0 ? "unrestricted" : "restricted",
        clients: 0,
        relayPattern: "snowflake.torproject.net$",
        address: parseAddress(addresses.next()),
      },
      STAYS,
    );
    const offered = broker.offer(
      {
        offer: writeDescription(formatOffer(nonce)),
        nat: "unrestricted",
        fingerprint: undefined,
        address: parseAddress(addresses.next()),
        rendezvous: "http",
      },
      STAYS,
    );
    await polled;
    await broker.answer({ sid, answer: writeDescription(formatAnswer(nonce)) });
    const { kind } = await offered;
    if (kind !== "answered") throw new Error(`an offer was ${kind}`);
  }
}

async function measureInProcess(mode: string): Promise<number> {
  const child = Bun.spawn([process.execPath, import.meta.path, mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`${mode}: it failed`);
  return Number(text);
}

async function main(argument: string | undefined): Promise<void> {
  if (argument !== undefined) {
    const mode = MODES.find((name) => name === argument);
    if (mode === undefined) throw new Error(`"${argument}" is none of ${MODES.join(", ")}`);
    using resources = new DisposableStack();
    const cost = await measure(await openBroker(mode, resources));
    await Bun.write(Bun.stdout, String(cost));
    return;
  }
  const costs = new Map<string, number[]>(MODES.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const name of MODES) costs.get(name)?.push(await measureInProcess(name));
  for (const [name, rounds] of costs) {
    const all = rounds.map((cost) => cost.toFixed(1)).join(", ");
    process.stdout.write(
      `${name.padEnd(10)} ${median(rounds).toFixed(1)} CPU µs a match (${all})\n`,
    );
  }
}

await main(process.argv[2]);
// Timers of what counts would keep the process.
process.exit();
