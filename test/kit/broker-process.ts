/** The broker as operators run it: a process of its own, on a free port of the loopback interface. */

import { join } from "node:path";

/** The program. */
export const MAIN = join(import.meta.dir, "../../src/main.ts");

/** What makes a process say how much memory it holds. */
const HEAP_PROBE = join(import.meta.dir, "heap-probe.ts");

/** What a role logs when it is up; a core has no URL. */
const UP = /listening on (http\S+)|core ready/;

/** How long a broker may take to listen, in ms. */
const START_TIMEOUT = 10_000;

export class BrokerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #process: Bun.ReadableSubprocess;
  readonly #stderr: StderrLines;
  #measured = 0;

  private constructor(url: string, process: Bun.ReadableSubprocess, stderr: StderrLines) {
    this.url = url;
    this.#process = process;
    this.#stderr = stderr;
  }

  /** Starts a broker without TLS unless the arguments say otherwise, and waits until it listens. */
  static async start(...args: readonly string[]): Promise<BrokerProcess> {
    const process = spawnBroker([
      "--disable-tls",
      "--addr=127.0.0.1:0",
      "--disable-geoip",
      ...args,
    ]);
    return BrokerProcess.#whenUp(process, /listening on (http\S+)/);
  }

  /**
   * Starts a role with just these arguments, and waits until it is up. A core has no URL; its is empty. Rejects with
   * what was logged if the process exits instead.
   */
  static async startRole(...args: readonly string[]): Promise<BrokerProcess> {
    return BrokerProcess.#whenUp(spawnBroker(args), UP);
  }

  /** As `startRole`, a process that can be asked for `heldMemory`. */
  static async startMeasured(...args: readonly string[]): Promise<BrokerProcess> {
    const process = spawnBroker(args, {}, ["--preload", HEAP_PROBE]);
    return BrokerProcess.#whenUp(process, UP);
  }

  static async #whenUp(process: Bun.ReadableSubprocess, up: RegExp): Promise<BrokerProcess> {
    const stderr = new StderrLines(process.stderr);
    try {
      const line = await stderr.until((text) => up.test(text), START_TIMEOUT);
      return new BrokerProcess(up.exec(line)?.[1] ?? "", process, stderr);
    } catch (error) {
      process.kill("SIGKILL");
      await process.exited;
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Everything logged so far. */
  get log(): string {
    return this.#stderr.text;
  }

  /** Waits for a log line, for so many milliseconds. */
  logged(text: string, ms = START_TIMEOUT): Promise<string> {
    return this.#stderr.until((line) => line.includes(text), ms);
  }

  /**
   * Bytes of all objects that are in use, with what they own outside the heap of the runtime. Only of a process that was
   * started to be measured.
   */
  async heldMemory(): Promise<number> {
    const prefix = `memory ${++this.#measured}: `;
    this.#process.kill("SIGUSR2");
    const line = await this.logged(prefix);
    return Number.parseInt(line.slice(prefix.length), 10);
  }

  signal(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL"): void {
    this.#process.kill(signal);
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

/** A run that ends by itself, and is killed if it does not: what it printed and how it exited. */
export async function runBroker(...args: readonly string[]) {
  const process = spawnBroker(args, { timeout: START_TIMEOUT, killSignal: "SIGKILL" });
  const [stdout, stderr, exitCode] = await Promise.all([
    process.stdout.text(),
    process.stderr.text(),
    process.exited,
  ]);
  return { stdout, stderr, exitCode };
}

function spawnBroker(
  args: readonly string[],
  bound: { readonly timeout?: number; readonly killSignal?: "SIGKILL" } = {},
  runtimeArgs: readonly string[] = [],
): Bun.ReadableSubprocess {
  return Bun.spawn([process.execPath, ...runtimeArgs, MAIN, ...args], {
    ...bound,
    stdout: "pipe",
    stderr: "pipe",
    // As it is now; the default is as it was when the tests began.
    env: process.env,
  });
}

/** Asks until it holds; fails after some seconds. */
export async function untilHolds(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + START_TIMEOUT;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never ${what}`);
    await Bun.sleep(2);
  }
}

/** Lines of a stream as they come. */
class StderrLines {
  text = "";
  #ended = false;
  #onText: () => void = () => {};

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    void this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      this.text += chunk;
      this.#onText();
    }
    this.#ended = true;
    this.#onText();
  }

  async until(holds: (line: string) => boolean, ms: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(
      () => reject(new Error(`not within ${ms} ms; so far: ${this.text}`)),
      ms,
    );
    this.#onText = () => {
      const line = this.text.split("\n").slice(0, -1).find(holds);
      if (line !== undefined) resolve(line);
      else if (this.#ended) reject(new Error(`it exited; so far: ${this.text}`));
    };
    this.#onText();
    return promise.finally(() => clearTimeout(timer));
  }
}
