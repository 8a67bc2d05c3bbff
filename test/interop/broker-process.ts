import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { BrokerProcess } from "../kit/broker-process.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import type { TestCa } from "./test-ca.ts";
import { until } from "./waiting.ts";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The bridge that clients ask for who ask for none in particular. */
const DEFAULT_BRIDGE = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";

/** A broker that listens. */
export interface Broker extends AsyncDisposable {
  readonly url: string;
}

export interface BrokerOptions {
  /** Undefined: no TLS. */
  readonly ca?: TestCa | undefined;
  /** A core and an http-frontend instead of one process; by default if TARGET=split. */
  readonly split?: boolean;
  /** In ms; by default a proxy that has waited in vain may come back at once. */
  readonly pollInterval?: number;
  /** What else the matchmaker is told on the command line. */
  readonly flags?: readonly string[];
}

/** Our broker on a free port. */
export async function startBroker(relayUrl: string, options: BrokerOptions = {}): Promise<Broker> {
  const { ca, pollInterval, flags = [], split = process.env["TARGET"] === "split" } = options;
  await using stage = new AsyncDisposableStack();
  const directory = stage.use(temporaryDirectory());
  const files = await brokerFiles(directory.path, relayUrl, pollInterval);
  const matching = ["--disable-geoip", ...files, ...flags];
  const listening = [
    ...["--addr", "127.0.0.1:0"],
    ...(ca === undefined ? ["--disable-tls"] : ["--cert", ca.certFile, "--key", ca.keyFile]),
  ];
  let frontend = [...matching, ...listening];
  if (split) {
    const socket = ["--socket", join(directory.path, "core.sock")];
    stage.use(await BrokerProcess.startRole("core", ...socket, ...matching));
    frontend = ["http-frontend", ...socket, ...listening];
  }
  const broker = stage.use(await BrokerProcess.startRole(...frontend));
  const running = stage.move();
  // The certificate is for the address, not for the name that a broker gives it.
  const url = broker.url.replace("localhost", "127.0.0.1");
  return { url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/**
 * Writes a broker's files into a directory and returns the flags that name them: the bridge list, and the poll interval
 * of all pools, in ms. By default a proxy that has waited in vain may come back at once.
 */
export async function brokerFiles(
  directory: string,
  relayUrl: string,
  pollInterval = 1,
): Promise<readonly string[]> {
  const path = join(directory, "poll-intervals.json");
  const pools = ["open", "moderate", "strict"].map((pool) => [
    `${pool}_poll_interval`,
    pollInterval,
  ]);
  await Bun.write(path, JSON.stringify(Object.fromEntries(pools)));
  return [...(await bridgeListFlags(directory, relayUrl)), "--poll-interval-filepath", path];
}

/** Writes a list of the default bridge alone, which is the relay, and returns the flag that names it. */
export async function bridgeListFlags(
  directory: string,
  relayUrl: string,
): Promise<readonly string[]> {
  const path = join(directory, "bridges.json");
  const bridge = { displayName: "relay", webSocketAddress: relayUrl, fingerprint: DEFAULT_BRIDGE };
  await Bun.write(path, `${JSON.stringify(bridge)}\n`);
  return ["--bridge-list-path", path];
}

/** Looks at the broker's count of proxies until there are so many, and returns the page that says so; rejects after 5 s. */
export async function proxyWaiting(brokerUrl: string, ca?: TestCa, proxies = 1): Promise<string> {
  const trust = ca === undefined ? {} : { tls: { ca: Bun.file(ca.authorityFile) } };
  return until(5_000, `${proxies} proxies at the broker`, async () => {
    const page = await (await fetch(new URL("debug", brokerUrl), trust)).text();
    const [, waiting] = /^current snowflakes available: (\d+)/.exec(page) ?? [];
    return Number(waiting) >= proxies ? page : undefined;
  });
}
