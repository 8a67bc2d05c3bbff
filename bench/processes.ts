/** Starts servers and load generators as processes of their own, and ends them. */

import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "../test/kit/free-port.ts";
import { mortal } from "../test/kit/mortal.ts";
import { ServerProcess } from "../test/kit/server-process.ts";
import { type LoadResult, parseLoadResult } from "./load-result.ts";
import type { Server } from "./measure.ts";
import type { Setup, Target } from "./targets.ts";

/** Open files of a process besides the proxies' connections. */
const SPARE_FILES = 500;

/** A server that has accepted a connection. Disposing of it ends the process. */
export interface RunningServer extends Server, AsyncDisposable {
  /** Whether its load generator is to share its core of the machine. */
  readonly oneCore: boolean;
}

/** Starts a fresh server on a free port. Rejects with the end of its log if it does not come up. */
export async function startServer(
  target: Target,
  setup: Setup,
  signal: AbortSignal,
): Promise<RunningServer> {
  const port = freePort();
  const { oneCore = false } = target;
  const server = new ServerProcess(withAllFiles(target.command(port, setup), oneCore), {
    // Whatever a server leaves behind by its defaults is left there.
    cwd: tmpdir(),
    signal,
  });
  const stop = () => server.stop();
  try {
    await server.accepting(port);
  } catch (error) {
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${target.name} did not start: ${reason}`, { cause: error });
  }
  return { port, pid: server.pid, oneCore, [Symbol.asyncDispose]: stop };
}

/** Runs the load generator against a server to its end. Rejects if it measured nothing. */
export async function runLoad(
  server: RunningServer,
  options: readonly string[],
  signal: AbortSignal,
): Promise<LoadResult> {
  const command = [
    process.execPath,
    join(import.meta.dir, "load.ts"),
    "--port",
    String(server.port),
    "--pid",
    String(server.pid),
    ...options,
  ];
  const child = Bun.spawn(mortal(withAllFiles(command, server.oneCore)), {
    stdio: ["ignore", "pipe", "inherit"],
    signal,
  });
  const output = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error("the load generator failed");
  return parseLoadResult(output);
}

/** The command with as many open files as the machine lets it have. The process id stays that of the command. */
export function withAllFiles(command: readonly string[], oneCore = false): string[] {
  const cores = oneCore ? ["taskset", "--cpu-list", "0"] : [];
  return ["sh", "-c", 'ulimit -n "$(ulimit -Hn)" && exec "$@"', "sh", ...cores, ...command];
}

/** Throws if a server or a generator may not have as many connections, on a machine that allows fewer open files. */
export function assertEnoughFiles(connections: number): void {
  const { stdout } = Bun.spawnSync(["sh", "-c", "ulimit -Hn"]);
  const limit = Number(stdout.toString().trim());
  if (connections + SPARE_FILES > limit)
    throw new Error(`${connections} proxies need more open files than the ${limit} of ulimit -Hn`);
}
