/** Every way to start a broker: a signal to what stands before it, and the death of that, end it in order. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { readProcessStat } from "../../src/system/processes.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../interop/temporary-directory.ts";
import { MAIN, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { childrenOf, isRunning } from "../kit/process-tree.ts";

const PACKAGE = join(import.meta.dir, "../..");
const LAUNCHER = join(PACKAGE, "bin/snowflake-broker.js");
const STARTERS = join(PACKAGE, "bin/starters.js");

/** How a program is started as the first process of a container. Undefined: it can't be done here. */
const CONTAINER = [["--pid"], ["--map-root-user", "--pid"]]
  .map((flags) => ["unshare", ...flags, "--fork", "--mount-proc", "--kill-child"])
  .find((command) => Bun.which("unshare") !== null && Bun.spawnSync([...command, "true"]).success);

if (CONTAINER === undefined)
  console.log("starters: no process ids of its own to be had: no container");

/** From Node 22.15 on the launcher is the broker itself, which nothing ends in order at SIGKILL. */
const LAUNCHER_STAYS =
  Bun.spawnSync(["node", "-p", "typeof process.execve"]).stdout.toString() !== "function\n";

/** The arguments are `"$@"` to a shell. */
const shell = (command: string) => ["sh", "-c", command, "sh"];

let stage: AsyncDisposableStack;
let folder: TemporaryDirectory;
let tree: number[];

beforeEach(() => {
  stage = new AsyncDisposableStack();
  folder = stage.use(temporaryDirectory());
  // A package that depends on this one.
  const binaries = join(folder.path, "node_modules/.bin");
  mkdirSync(binaries, { recursive: true });
  symlinkSync(LAUNCHER, join(binaries, "snowflake-broker"));
  const scripts = { start: "snowflake-broker", more: "true && snowflake-broker" };
  writeFileSync(join(folder.path, "package.json"), JSON.stringify({ scripts }));
  tree = [];
});
afterEach(async () => {
  // Not by their ids alone: another process may have got one since.
  for (const pid of tree.filter(isRunning)) process.kill(pid, "SIGKILL");
  await stage.disposeAsync();
});

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

class Started {
  readonly port = freePort();
  readonly url = `http://127.0.0.1:${this.port}/`;
  readonly #log = join(folder.path, `${this.port}.log`);
  readonly #workers: number;
  readonly process: Bun.Subprocess;

  constructor(command: readonly string[], workers: number, cwd: string) {
    this.#workers = workers;
    const flags = [`--addr=127.0.0.1:${this.port}`, "--disable-tls", "--disable-geoip"];
    this.process = Bun.spawn([...command, ...flags, `--workers=${workers}`], {
      cwd,
      stdio: ["ignore", "ignore", Bun.file(this.#log)],
      env: { ...process.env, RUNTIME_DIRECTORY: folder.path, npm_config_update_notifier: "false" },
    });
    tree.push(this.process.pid);
  }

  log(): Promise<string> {
    return Bun.file(this.#log).text();
  }

  async untilReady(): Promise<void> {
    const listening = Math.max(this.#workers, 1);
    await untilHolds("ready", async () => {
      return (await this.log()).split("listening on ").length > listening;
    });
    tree.push(...descendantsOf(this.process.pid));
  }

  /** A proxy that waits, and what it is told. */
  async poll(): Promise<{ readonly told: Promise<string> }> {
    const body = '{"Sid":"s","Version":"1.3","NAT":"open","AcceptedRelayPattern":"$"}';
    const request = fetch(`${this.url}proxy`, { method: "POST", body, keepalive: false });
    const told = request.then((response) => response.text()).catch(String);
    await untilHolds("waiting", async () => {
      const page = await fetch(`${this.url}debug`, { keepalive: false });
      return (await page.text()).startsWith("current snowflakes available: 1\n");
    });
    return { told };
  }

  /** Whatever has happened to the process that was started, the broker has drained, and nothing of it is there. */
  async expectEndInOrder(proxy: { readonly told: Promise<string> }): Promise<void> {
    expect(await proxy.told).toStartWith('{"Status":"no match"');
    await this.process.exited;
    await untilHolds("end of all", async () => !tree.some(isRunning));
    const log = await this.log();
    expect(log).toEndWith(" stopped\n");
    expect(log).not.toContain("again: stopping now");
    expect(log).not.toContain(" ERROR ");
    Bun.listen({ hostname: "127.0.0.1", port: this.port, socket: { data() {} } }).stop(true);
  }
}

type Ending = "SIGTERM" | "SIGINT" | "SIGKILL";
const ENDINGS = ["SIGTERM", "SIGINT", "SIGKILL"] as const;

/** A shell keeps SIGINT to itself until its command has ended: only a terminal, which signals all, ends that. */
const SHELL_ENDINGS = ["SIGTERM", "SIGKILL"] as const;

describe.each([0, 2])("%p workers,", (workers) => {
  test.each<[string, string[], boolean, readonly Ending[]]>([
    ["the launcher", ["node", LAUNCHER], false, LAUNCHER_STAYS ? ENDINGS : ["SIGTERM", "SIGINT"]],
    ["npm start here", ["npm", "start", "--"], true, ENDINGS],
    ["npm start of a package that uses it", ["npm", "start", "--"], false, SHELL_ENDINGS],
    ["a script of more than it", ["npm", "run", "more", "--"], false, SHELL_ENDINGS],
    ["npx", ["npx", "--no", "snowflake-broker", "--"], false, SHELL_ENDINGS],
    ["a shell", shell(`node "${LAUNCHER}" "$@"; true`), false, SHELL_ENDINGS],
    [
      "two shells",
      shell(`sh -c 'node "${LAUNCHER}" "$@"; true' sh "$@"; true`),
      false,
      ["SIGKILL"],
    ],
  ])("%s", async (_, command, isHere, endings) => {
    // With workers it takes long, and the ways down to the broker are the same.
    for (const ending of workers === 0 ? endings : endings.slice(-1)) {
      const started = new Started(command, workers, isHere ? PACKAGE : folder.path);
      await started.untilReady();
      const proxy = await started.poll();
      started.process.kill(ending);
      await started.expectEndInOrder(proxy);
      tree = [];
    }
  });
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s to npm, shell, launcher and broker together",
  async (signal) => {
    const started = new Started(["npm", "start", "--"], 0, folder.path);
    await started.untilReady();
    const proxy = await started.poll();
    // One that the others' end has ended by then needs no signal.
    for (const pid of tree) if (readProcessStat(pid) !== undefined) process.kill(pid, signal);
    await started.expectEndInOrder(proxy);
  },
);

test.skipIf(CONTAINER === undefined).each([
  ["the broker", [process.execPath, MAIN], 0],
  ["the broker", [process.execPath, MAIN], 2],
  ["the launcher", ["node", LAUNCHER], 0],
  ["the launcher", ["node", LAUNCHER], 2],
])("as the first process of a container: %s (%p, %p workers)", async (_, command, workers) => {
  for (const ending of ["SIGTERM", "SIGINT"] as const) {
    const started = new Started([...(CONTAINER ?? []), ...command], workers, folder.path);
    await started.untilReady();
    const [first = 0] = childrenOf(started.process.pid);
    if (workers > 0) {
      const [worker = 0] = tree.slice(-1);
      process.kill(worker, "SIGKILL");
      await untilHolds("reaped", async () => readProcessStat(worker) === undefined);
      await untilHolds("replaced", async () => {
        return (await started.log()).split("listening on ").length === workers + 2;
      });
    }
    const proxy = await started.poll();
    process.kill(first, ending);
    await started.expectEndInOrder(proxy);
    expect(started.process.exitCode).toBe(0);
    tree = [];
  }
});

test.each([
  ["a program", `"$@"`, "direct", 0],
  ["a shell", `"$@"; true`, "in a shell", 1],
  ["a shell that puts it in the background", `"$@" & wait`, "in a shell", 0],
  [
    "a shell in whose command something is redirected",
    `true && "$@" 2>&1 3>&-; true`,
    "in a shell",
    1,
  ],
  ["a shell in another session", `setsid "$@"; true`, "in a shell", 0],
])("%s: how many processes it ends with", async (_, command, how, count) => {
  const print = `import("${STARTERS}").then((it) => console.log(it.findStarters().length))`;
  const node = ["node", "-e", print];
  const env = { ...process.env, npm_lifecycle_event: undefined };
  const { stdout } = Bun.spawnSync(how === "direct" ? node : [...shell(command), ...node], { env });
  expect(Number(stdout.toString())).toBe(count);
});
