/** The servers that are measured: how each is found or built, and started. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { brokerCommand, MAIN } from "../test/kit/broker-process.ts";
import { findUpstreamBroker, UPSTREAM_BROKER_NEEDED } from "../test/kit/upstream-broker.ts";
import { BROKER_QUEUE, REGION } from "./sqs-way.ts";

export const RIVALS = ["upstream", "go-floor", "uncounted", "previous"] as const;
/** What `--against` may name. `uncounted` brings `counting` along; `previous` is followed by `=DIR`. */
export type Rival = (typeof RIVALS)[number];

/** What a server is told of the load that comes. */
export interface Setup {
  /** Names a certificate, or says that there is none. */
  readonly transport: readonly string[];
  /** Whether a server of constants lets polls wait. */
  readonly holdPolls: boolean;
}

/** For peers without TLS. */
export const PLAIN: Setup = { transport: ["--disable-tls"], holdPolls: false };

export interface Target {
  readonly name: "ours" | "counting" | "bun-floor" | "one core" | "workers=1" | "workers=2" | Rival;
  /** For reports: what the figures are figures of. */
  readonly label: string;
  /** Answers constants at once; proxies can wait there only if its polls are held. */
  readonly constant: boolean;
  /** Has to do with one core, and so has its load generator. */
  readonly oneCore?: boolean;
  /** The command that listens on a port of 127.0.0.1. */
  readonly command: (port: number, setup: Setup) => readonly string[];
}

/** What the program is told of the load that comes, whatever it counts. */
export function listenFlags(port: number, { transport }: Setup): string[] {
  return [
    ...transport,
    "--addr",
    `127.0.0.1:${port}`,
    "--trusted-hops",
    "1",
    "--allowed-relay-pattern",
    "snowflake.torproject.net$",
  ];
}

export const OURS: Target = {
  name: "ours",
  label:
    "this broker: counts for the daily report and Prometheus, without country files or journals",
  constant: false,
  command: (port, setup) => brokerCommand(...listenFlags(port, setup), "--disable-geoip"),
};

/** Another checkout of this project, started as ours is. Throws if there is none. */
export function findPrevious(directory: string): Target {
  const main = join(resolve(directory), "src/main.ts");
  if (!existsSync(main)) throw new Error(`--against previous: there is no ${main}`);
  return {
    ...OURS,
    name: "previous",
    label: "another checkout of this broker",
    command: (port, setup) =>
      OURS.command(port, setup).map((part) => (part === MAIN ? main : part)),
  };
}

/** This broker as one process, and as a core with one and with two http-frontends. */
export function splitTargets(): [Target, Target, Target] {
  return [
    { ...OURS, label: "this broker as one process" },
    {
      ...OURS,
      name: "workers=1",
      label: "a core and one http-frontend; `first` is the core",
      command: (port, setup) => [...OURS.command(port, setup), "--workers", "1"],
    },
    {
      ...OURS,
      name: "workers=2",
      label: "a core and two http-frontends on one port; `first` is the core",
      command: (port, setup) => [...OURS.command(port, setup), "--workers", "2"],
    },
  ];
}

/** A core and one http-frontend that share one core of the machine with the load generator. */
export function onOneCore(target: Target): Target {
  return {
    ...target,
    name: "one core",
    label: `${target.label}, on one core of the machine, with the generator`,
    oneCore: true,
  };
}

export const UNCOUNTED: Target = {
  name: "uncounted",
  label: "this broker put together so that nothing is counted",
  constant: false,
  command: (port, setup) => [
    process.execPath,
    join(import.meta.dir, "uncounted.ts"),
    ...listenFlags(port, setup),
    "--disable-geoip",
  ],
};

/** This broker with a queue of SQS besides; where that is, the environment says. */
export const OURS_WITH_SQS: Target = {
  name: "ours",
  label:
    "this broker, clients by HTTP, AMP cache and SQS at once; SQS is a stand-in, whose CPU is nobody's",
  constant: false,
  command: (port, setup) => [
    ...OURS.command(port, setup),
    "--broker-sqs-name",
    BROKER_QUEUE,
    "--broker-sqs-region",
    REGION,
  ],
};

export const BUN_FLOOR: Target = {
  name: "bun-floor",
  label: "bare Bun.serve that answers constants: lower bound for any broker on Bun.serve",
  constant: true,
  command: (port, { transport, holdPolls }) => [
    process.execPath,
    join(import.meta.dir, "floor.ts"),
    ...transport,
    "--port",
    String(port),
    ...(holdPolls ? ["--hold"] : []),
  ],
};

/** Upstream's broker. Throws, saying what to give, if the environment names none. */
export function findUpstream(environment: Readonly<Record<string, string | undefined>>): Target {
  const binary = findUpstreamBroker(environment);
  if (binary === undefined) throw new Error(`--against upstream needs ${UPSTREAM_BROKER_NEEDED}`);
  return {
    name: "upstream",
    label: "upstream's broker, in Go",
    constant: false,
    command: (port, { transport }) => [
      binary,
      ...transport,
      "-disable-geoip",
      "-addr",
      `127.0.0.1:${port}`,
      "-allowed-relay-pattern",
      "snowflake.torproject.net$",
    ],
  };
}

/** A server with files that were made for this run, and are removed when disposed of. */
export interface BuiltTarget extends Disposable {
  readonly target: Target;
}

/** Builds the Go floor with the machine's `go`. Throws if that fails. */
export async function buildGoFloor(signal: AbortSignal): Promise<BuiltTarget> {
  if (Bun.which("go") === null) throw new Error("go-floor: there is no `go` on the PATH");
  const directory = mkdtempSync(join(tmpdir(), "go-floor-"));
  const binary = join(directory, "go-floor");
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const go = Bun.spawn(["go", "build", "-o", binary, "."], {
    cwd: join(import.meta.dir, "go-floor"),
    stdio: ["ignore", "ignore", "inherit"],
    signal,
  });
  if ((await go.exited) !== 0) {
    remove();
    throw new Error("go-floor: the build failed");
  }
  const target: Target = {
    name: "go-floor",
    label:
      "bare Go net/http exchange: lower bound for any broker on Go net/http, not upstream's broker",
    constant: false,
    command: (port, { transport }) => [binary, ...transport, "-addr", `127.0.0.1:${port}`],
  };
  return { target, [Symbol.dispose]: remove };
}
