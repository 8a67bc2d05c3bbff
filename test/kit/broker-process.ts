/** The broker as operators run it: a process of its own, on a free port of the loopback interface. */

import { join } from "node:path";

import { ServerProcess } from "./server-process.ts";

/** The program. */
export const MAIN = join(import.meta.dir, "../../src/main.ts");

/** What makes a process say how much memory it holds. */
const HEAP_PROBE = join(import.meta.dir, "heap-probe.ts");

/** How long a run that ends by itself may take, in ms. */
const RUN_TIMEOUT = 10_000;

/** What a broker logs when it is ready: its URL, or for a core, which has none, just that. */
const READY = /listening on (http\S+)|core ready/;

/** What the launcher in bin/ runs the program with. */
const RUNTIME = ["env", "MIMALLOC_PURGE_DELAY=1000", process.execPath];
const RUNTIME_FLAGS = ["--config=/dev/null", "--no-env-file", "--no-install"];

/** The command that the launcher in bin/ runs. */
export function brokerCommand(...args: readonly string[]): string[] {
  return [...RUNTIME, ...RUNTIME_FLAGS, MAIN, ...args];
}

export class BrokerProcess extends ServerProcess {
  #measured = 0;

  private constructor(command: readonly string[]) {
    super(command);
  }

  /** Starts a broker without TLS unless the arguments say otherwise, and waits until it listens. */
  static start(...args: readonly string[]): Promise<BrokerProcess> {
    const usual = ["--disable-tls", "--addr=127.0.0.1:0", "--disable-geoip"];
    return BrokerProcess.startRole(...usual, ...args);
  }

  /**
   * Starts a role with just these arguments, and waits until it is ready. Rejects with what was logged if the process
   * exits instead.
   */
  static async startRole(...args: readonly string[]): Promise<BrokerProcess> {
    return BrokerProcess.#start(brokerCommand(...args));
  }

  /** As `startRole`, a process that can be asked for `heldMemory`. */
  static async startMeasured(...args: readonly string[]): Promise<BrokerProcess> {
    return BrokerProcess.#start([
      ...RUNTIME,
      "--preload",
      HEAP_PROBE,
      ...RUNTIME_FLAGS,
      MAIN,
      ...args,
    ]);
  }

  static async #start(command: readonly string[]): Promise<BrokerProcess> {
    const broker = new BrokerProcess(command);
    try {
      await broker.logged(READY);
      return broker;
    } catch (error) {
      await broker[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends with a slash. A core has no URL; its is empty. */
  get url(): string {
    return READY.exec(this.log)?.[1] ?? "";
  }

  /**
   * Bytes of all objects that are in use, with what they own outside the heap of the runtime. Only of a process that was
   * started to be measured.
   */
  async heldMemory(): Promise<number> {
    const prefix = `memory ${++this.#measured}: `;
    this.signal("SIGUSR2");
    const line = await this.logged(prefix);
    return Number.parseInt(line.slice(prefix.length), 10);
  }
}

/** A run that ends by itself, and is killed if it does not: what it printed and how it exited. */
export async function runBroker(...args: readonly string[]) {
  const broker = Bun.spawn(brokerCommand(...args), {
    timeout: RUN_TIMEOUT,
    killSignal: "SIGKILL",
    stdio: ["ignore", "pipe", "pipe"],
    env: process.env,
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    broker.stdout.text(),
    broker.stderr.text(),
    broker.exited,
  ]);
  return { stdout, stderr, exitCode };
}

/** Asks until it holds; fails after some seconds. */
export async function untilHolds(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + RUN_TIMEOUT;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never ${what}`);
    await Bun.sleep(2);
  }
}
