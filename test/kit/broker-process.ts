/** The broker as operators run it: a process of its own, on a free port of the loopback interface. */

import { join } from "node:path";

import { ServerProcess } from "./server-process.ts";

/** The program. */
export const MAIN = join(import.meta.dir, "../../src/main.ts");

/** How long a run that ends by itself may take, in ms. */
const RUN_TIMEOUT = 10_000;

/** What a broker logs when it is ready: its URL, or for a core, which has none, just that. */
const READY = /listening on (http\S+)|core ready/;

/** The command that the launcher in bin/ runs. */
export function brokerCommand(...args: readonly string[]): string[] {
  const runtimeFlags = ["--config=/dev/null", "--no-env-file", "--no-install"];
  return [process.execPath, ...runtimeFlags, MAIN, ...args];
}

export class BrokerProcess extends ServerProcess {
  private constructor(...args: readonly string[]) {
    super(brokerCommand(...args));
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
    const broker = new BrokerProcess(...args);
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
