/**
 * The broker under test as a black box: one or more processes on a port of the loopback interface. TARGET names it:
 * `ours` (the default) or `upstream`, the Go broker that this one stands in for.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "../kit/free-port.ts";
import { findUpstreamBroker, UPSTREAM_BROKER_NEEDED } from "../kit/upstream-broker.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** How long a broker may take to accept connections, in ms. */
const START_TIMEOUT = 10_000;
/** How often it is asked meanwhile, in ms. */
const LOOK_AGAIN = 10;

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

/** The command lines of the processes that together are the broker, in the order they are started. */
type Commands = (place: Place, flags: readonly string[]) => readonly (readonly string[])[];

/** A new target is one more entry here. Where there is a metrics file, it starts empty. */
const COMMANDS = {
  ours: (place, flags) => [[process.execPath, MAIN, ...commonFlags(place), ...flags]],
  split(place, flags) {
    const socket = ["-socket", join(place.directory, "core.sock")];
    const metrics = ["-metrics-log", join(place.directory, "metrics.log")];
    return [
      [process.execPath, MAIN, "core", ...socket, "-disable-geoip", ...metrics, ...flags],
      [
        ...[process.execPath, MAIN, "http-frontend", ...socket],
        ...["-disable-tls", "-addr", place.address, ...metrics],
      ],
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
  const processes = commands.map((command) => stage.use(new ProcessGroup(command)));

  const deadline = performance.now() + START_TIMEOUT;
  while (!(await accepts(port))) {
    const ended = processes.find((process) => process.hasEnded);
    if (ended === undefined && performance.now() < deadline) await Bun.sleep(LOOK_AGAIN);
    else throw new Error(`${TARGET} did not start:\n${(ended ?? processes[0])?.log}`);
  }
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

/**
 * A process that leads a group of its own, which is killed as a whole when it is disposed of. Should the tests
 * themselves be killed, the kernel kills the process (`setpriv --pdeathsig`, where there is one).
 */
class ProcessGroup implements AsyncDisposable {
  /** What it wrote to standard error. */
  log = "";
  readonly #process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #logRead: Promise<void>;

  constructor(command: readonly string[]) {
    const mortal = Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
    this.#process = Bun.spawn([...mortal, ...command], {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    this.#logRead = this.#readLog();
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async #readLog(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#process.stderr) {
      this.log += decoder.decode(bytes, { stream: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(-this.#process.pid, "SIGKILL");
    } catch (error) {
      const gone = error instanceof Error && "code" in error && error.code === "ESRCH";
      if (!gone) throw error;
    }
    await Promise.all([this.#process.exited, this.#logRead]);
  }
}

async function accepts(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data() {}, connectError() {} },
    });
    socket.end();
    return true;
  } catch {
    // Refused: the process is not yet so far.
    return false;
  }
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
