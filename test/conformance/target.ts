/**
 * The broker under test as a black box: one or more processes on a port of the loopback interface. TARGET names it:
 * `ours` (the default) or `upstream`, the Go broker that this one stands in for.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { brokerCommand } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { ServerProcess } from "../kit/server-process.ts";
import { findUpstreamBroker, UPSTREAM_BROKER_NEEDED } from "../kit/upstream-broker.ts";

/** What a broker is started with. */
export interface TargetOptions {
  /** `--allowed-relay-pattern`; undefined: the flag is not given. */
  readonly allowedRelayPattern: string | undefined;
  /** Text of the bridge list file; undefined: none. */
  readonly bridges: string | undefined;
  /** Text of the poll interval file; undefined: none. */
  readonly pollIntervals: string | undefined;
}

/** What the vectors were recorded with. */
const DEFAULT_OPTIONS: TargetOptions = {
  allowedRelayPattern: "snowflake.torproject.net",
  bridges: undefined,
  pollIntervals: undefined,
};

/** A broker that accepts connections. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  /** Ends with a slash. */
  readonly url: string;
}

/** Where a broker lives: the `host:port` it listens on, and a directory of its own. */
interface Place {
  readonly address: string;
  readonly directory: string;
}

/** The command lines of the processes that together are the broker, in the order they are started. The last one listens. */
type Commands = (place: Place, flags: readonly string[]) => readonly (readonly string[])[];

/** What makes our broker match as the reference does. */
const REFERENCE = ["-policy", "reference"];

/** A new target is one more entry here. Where there is a metrics file, it starts empty. */
const COMMANDS = {
  ours: (place, flags) => [brokerCommand(...commonFlags(place), ...REFERENCE, ...flags)],
  split(place, flags) {
    const socket = ["-socket", join(place.directory, "core.sock")];
    const metrics = ["-metrics-log", join(place.directory, "metrics.log")];
    return [
      brokerCommand("core", ...socket, "-disable-geoip", ...metrics, ...REFERENCE, ...flags),
      brokerCommand("http-frontend", ...socket, "-disable-tls", "-addr", place.address, ...metrics),
    ];
  },
  upstream: (place, flags) => [[upstreamBroker(), ...commonFlags(place), ...flags]],
} as const satisfies Record<string, Commands>;

/** What every broker is told. */
function commonFlags({ address, directory }: Place): string[] {
  const metrics = ["-metrics-log", join(directory, "metrics.log")];
  return ["-disable-tls", "-addr", address, "-disable-geoip", ...metrics];
}

type TargetName = keyof typeof COMMANDS;

/** Which broker is under test. */
export const TARGET: TargetName = parseTarget(process.env["TARGET"] ?? "ours");

/** Starts a fresh broker. Rejects with the end of its log if it does not come up. */
export async function startTarget(options: Partial<TargetOptions> = {}): Promise<Target> {
  await using stage = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "snowflake-conformance-"));
  stage.defer(() => rm(directory, { recursive: true }));

  const port = freePort();
  const flags = await writeFlags({ ...DEFAULT_OPTIONS, ...options }, directory);
  const commands = COMMANDS[TARGET]({ address: `127.0.0.1:${port}`, directory }, flags);
  const processes = commands.map((command) => stage.use(new ServerProcess(command)));
  await processes.at(-1)?.accepting(port);
  const running = stage.move();
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Writes the files that the options ask for; returns the flags, which all targets have in common. */
async function writeFlags(options: TargetOptions, directory: string): Promise<string[]> {
  const flags: string[] = [];
  if (options.allowedRelayPattern !== undefined) {
    flags.push("-allowed-relay-pattern", options.allowedRelayPattern);
  }
  const files = {
    "-bridge-list-path": options.bridges,
    "-poll-interval-filepath": options.pollIntervals,
  };
  for (const [flag, text] of Object.entries(files)) {
    if (text === undefined) continue;
    const path = join(directory, flag.slice(1));
    await Bun.write(path, text);
    flags.push(flag, path);
  }
  return flags;
}

function parseTarget(name: string): TargetName {
  if (!isTargetName(name)) {
    return fail(`TARGET=${name}: no such target; there are ${Object.keys(COMMANDS).join(", ")}`);
  }
  if (name === "upstream") upstreamBroker();
  return name;
}

function isTargetName(name: string): name is TargetName {
  return Object.hasOwn(COMMANDS, name);
}

/** The path of the Go broker's binary; without one the run ends here. */
function upstreamBroker(): string {
  try {
    return (
      findUpstreamBroker(process.env) ?? fail(`TARGET=upstream needs ${UPSTREAM_BROKER_NEEDED}`)
    );
  } catch (error) {
    return fail(String(error));
  }
}

/** Ends the whole run, so that what is wrong is said once and not by every suite. */
function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
