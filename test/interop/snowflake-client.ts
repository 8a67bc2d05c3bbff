/** The client of a censored user: a managed pluggable transport, which is a SOCKS5 server on loopback. */

import { join } from "node:path";

import { startChild } from "./child-process.ts";
import { connectThroughSocks, type SocksConnection } from "./socks.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./waiting.ts";

/** Where the SOCKS connections are said to go to (RFC 5737). The client does not look at it. */
const TARGET = "192.0.2.1";
/** How many SOCKS connections are tried. */
const ATTEMPTS = 20;
/** Longest wait for one connection's data channel, in ms: it takes less than a second, or 10 s more if refused. */
const CONNECT_BOUND = 15_000;

export interface SnowflakeClientOptions {
  /** The program; it is searched for in PATH unless it is a path. */
  readonly program: string;
  readonly brokerUrl: string;
  readonly stunUrl: string;
  /** What else it is told on the command line. */
  readonly flags?: readonly string[];
  /** A file with the certificates of all authorities that the client shall trust. */
  readonly authorityFile?: string;
}

export interface SnowflakeClient extends AsyncDisposable {
  /** A SOCKS connection as soon as it is granted: the client then asks for a proxy until it has one. */
  connectAtOnce(): Promise<SocksConnection>;
  /** A SOCKS connection that has a data channel to a proxy. */
  connect(): Promise<SocksConnection>;
}

export function startSnowflakeClient(options: SnowflakeClientOptions): Promise<SnowflakeClient> {
  const trust = options.authorityFile === undefined ? {} : { SSL_CERT_FILE: options.authorityFile };
  return startClient(
    [
      ...[options.program, "-url", options.brokerUrl, "-ice", options.stunUrl],
      ...["-keep-local-addresses", ...(options.flags ?? [])],
    ],
    {
      TOR_PT_MANAGED_TRANSPORT_VER: "1",
      TOR_PT_CLIENT_TRANSPORTS: "snowflake",
      TOR_PT_STATE_LOCATION: ".",
      TOR_PT_EXIT_ON_STDIN_CLOSE: "1",
      ...trust,
    },
  );
}

/** The same by a line for the shell, environment included, which is completed with flags. */
export function startSnowflakeClientByShell(line: string): Promise<SnowflakeClient> {
  return startClient(["sh", "-c", `${line} "$@"`, "sh"], {});
}

async function startClient(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<SnowflakeClient> {
  const stage = new AsyncDisposableStack();
  try {
    const directory = stage.use(temporaryDirectory());
    const log = join(directory.path, "log");
    const { child, match } = await startChild(
      [...command, "-log", log],
      /^CMETHOD snowflake socks5 127\.0\.0\.1:(\d+)$/,
      { env, cwd: directory.path },
    );
    stage.use(child);
    const socksPort = Number(match[1]);
    return {
      connectAtOnce: () => connectThroughSocks(socksPort, TARGET, 80),
      connect: () => connectThroughProxy(socksPort, log),
      [Symbol.asyncDispose]: () => stage.disposeAsync(),
    };
  } catch (error) {
    await stage.disposeAsync();
    throw error;
  }
}

/**
 * Every SOCKS connection is a Snowflake client of its own that asks for its NAT type while it makes its offer. In about
 * one case of three the offer is ready first, goes out with the NAT type unknown, and is refused: proxies of unknown NAT
 * are for clients that know theirs. Then a new connection is tried, and the last one is left to the client, which makes
 * its offer again after 10 s. A client that is refused although it knew its NAT type is a failure.
 */
async function connectThroughProxy(socksPort: number, log: string): Promise<SocksConnection> {
  let seen = (await Bun.file(log).text()).length;
  for (let attempt = 1; ; attempt++) {
    const connection = await connectThroughSocks(socksPort, TARGET, 80);
    let text = "";
    try {
      const outcome = await until(CONNECT_BOUND, "data channel", async () => {
        text = (await Bun.file(log).text()).slice(seen);
        const now = outcomeSoFar(text);
        return now === "offered too early" && attempt === ATTEMPTS ? undefined : now;
      });
      if (outcome === "connected") return connection;
      if (outcome === "refused") throw new Error("refused although it knew its NAT type");
    } catch (cause) {
      connection[Symbol.dispose]();
      throw new Error(`the client has no proxy; its log:\n${text}`, { cause });
    }
    connection[Symbol.dispose]();
    seen += text.length;
  }
}

/** What has become of a client, by its log; undefined as long as that is open. */
function outcomeSoFar(log: string): "connected" | "refused" | "offered too early" | undefined {
  if (log.includes("DataChannel.OnOpen")) return "connected";
  // Every failure is followed by this. The NAT type comes later if it comes late, but it has to come before the next
  // attempt, whose line it would be taken for.
  if (!log.includes("Retrying...") || !log.includes("NAT Type: ")) return undefined;
  return log.indexOf("NAT Type: ") < log.indexOf("Negotiating via ")
    ? "refused"
    : "offered too early";
}
