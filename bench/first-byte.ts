/**
 * How long a client takes to its first byte at the relay, with real peers: `bun bench/first-byte.ts --help`. One
 * volunteer has been there for a while, and one client comes at a time, at a broker with its defaults.
 */

import { tmpdir } from "node:os";

import { openRunDirectory } from "../scripts/run-directory.ts";
import { bridgeListFlags } from "../test/interop/broker-process.ts";
import { NEWEST_NEEDED, newestPrograms } from "../test/interop/newest-programs.ts";
import { startSnowflakeClient } from "../test/interop/snowflake-client.ts";
import { newestProxyFlags, startSnowflakeProxy } from "../test/interop/snowflake-proxy.ts";
import { startStunServer } from "../test/interop/stun-server.ts";
import { temporaryDirectory } from "../test/interop/temporary-directory.ts";
import { startWebSocketRelay, type WebSocketRelay } from "../test/interop/websocket-relay.ts";
import { freePort } from "../test/kit/free-port.ts";
import { ServerProcess } from "../test/kit/server-process.ts";
import {
  formatOptions,
  givenChoice,
  type Option,
  parseOptions,
  requiredCount,
  UsageError,
} from "./options.ts";
import { runProgram } from "./program.ts";
import { median } from "./statistics.ts";
import { alignColumns } from "./table.ts";
import { findUpstream, OURS, PLAIN, type Target } from "./targets.ts";

const PEERS = ["newest", "debian"] as const;

const OPTIONS: Readonly<Record<string, Option>> = {
  peers: { type: "string", value: PEERS.join("|"), default: "newest", help: "client and proxy" },
  against: { type: "string", value: "upstream", help: "adds upstream's broker, by turns" },
  tries: { type: "string", value: "N", default: "10", help: "clients at each broker" },
  settle: {
    type: "string",
    value: "N",
    default: "30",
    help: "seconds that a volunteer is there before",
  },
  pause: {
    type: "string",
    value: "N",
    default: "10",
    help: "most seconds before a client, at random",
  },
  help: { type: "boolean", help: "print this" },
};

/** When a try is given up, in ms. */
const GIVE_UP = 90_000;

/** Client and proxy of one version. */
interface Programs {
  readonly client: string;
  readonly proxy: string;
  readonly proxyFlags: (relayUrl: string) => readonly string[];
}

function choosePrograms(peers: (typeof PEERS)[number]): Programs {
  if (peers === "debian")
    return { client: "snowflake-client", proxy: "snowflake-proxy", proxyFlags: () => [] };
  const newest = newestPrograms();
  if (newest === undefined) throw new UsageError(`--peers newest: needs ${NEWEST_NEEDED}`);
  return { ...newest, proxyFlags: newestProxyFlags };
}

/** A broker with its volunteer and its relay. */
interface Side {
  readonly name: string;
  readonly brokerUrl: string;
  readonly relay: WebSocketRelay;
}

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const given = parseOptions(args, OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(`Usage: bun bench/first-byte.ts [options]\n${formatOptions(OPTIONS)}`);
    return;
  }
  const programs = choosePrograms(givenChoice(given, "peers", PEERS) ?? "newest");
  const tries = requiredCount(given, "tries", 1);
  const settle = requiredCount(given, "settle", 0) * 1000;
  const pause = requiredCount(given, "pause", 0) * 1000;
  const targets = [OURS];
  if (givenChoice(given, "against", ["upstream"]) !== undefined)
    targets.push(findUpstream(process.env));

  await using stage = new AsyncDisposableStack();
  stage.use(openRunDirectory());
  const stun = stage.use(await startStunServer());
  const sides: Side[] = [];
  for (const target of targets) sides.push(await startSide(target, programs, stun.url, stage));
  await Bun.sleep(settle);

  const seconds = new Map<string, number[]>(sides.map(({ name }) => [name, []]));
  for (let attempt = 1; attempt <= tries; attempt++) {
    for (const side of attempt % 2 === 1 ? sides : sides.toReversed()) {
      const waited = Math.random() * pause;
      await Bun.sleep(waited);
      signal.throwIfAborted();
      const took = await timeToFirstByte(side, programs.client, stun.url);
      seconds.get(side.name)?.push(took);
      const after = `after a pause of ${(waited / 1000).toFixed(1)} s`;
      process.stdout.write(`try ${attempt}, ${side.name}: ${formatSeconds(took)} ${after}\n`);
    }
  }
  const rows = [...seconds].map(([name, took]) => [
    name,
    formatSeconds(median(took)),
    formatSeconds(Math.max(...took)),
  ]);
  process.stdout.write(`${alignColumns([["", "median", "worst"], ...rows]).join("\n")}\n`);
}

/** Starts a broker that clients reach without TLS, and a volunteer that polls it. */
async function startSide(
  target: Target,
  { proxy, proxyFlags }: Programs,
  stunUrl: string,
  stage: AsyncDisposableStack,
): Promise<Side> {
  const relay = stage.use(startWebSocketRelay());
  const files = stage.use(temporaryDirectory());
  const port = freePort();
  const bridges = await bridgeListFlags(files.path, relay.url);
  const broker = new ServerProcess([...target.command(port, PLAIN), ...bridges], { cwd: tmpdir() });
  stage.use(broker);
  await broker.accepting(port);
  const brokerUrl = `http://127.0.0.1:${port}/`;
  const flags = proxyFlags(relay.url);
  stage.use(startSnowflakeProxy({ program: proxy, brokerUrl, stunUrl, flags }));
  return { name: target.name, brokerUrl, relay };
}

/** Seconds from a new client's start to its first byte at the relay; Infinity if it is given up. */
async function timeToFirstByte(side: Side, program: string, stunUrl: string): Promise<number> {
  const start = performance.now();
  await using client = await startSnowflakeClient({ program, brokerUrl: side.brokerUrl, stunUrl });
  using connection = await client.connectAtOnce();
  connection.write(Buffer.from("first byte"));
  try {
    const { since } = await side.relay.connection(GIVE_UP);
    return (since - start) / 1000;
  } catch {
    return Infinity;
  }
}

function formatSeconds(seconds: number): string {
  return seconds === Infinity ? `never in ${GIVE_UP / 1000} s` : `${seconds.toFixed(1)} s`;
}

await runProgram(main);
