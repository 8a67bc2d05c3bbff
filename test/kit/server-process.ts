/** A server on the loopback interface, as a process of its own that does not outlive ours. */

import { mortal } from "./mortal.ts";

/** How long a server may take to be ready, in ms. */
const READY_TIMEOUT = 10_000;
/** How long a server may take to end after SIGTERM, in ms. Then it gets SIGKILL. */
const STOP_TIMEOUT = 5_000;
/** How often a port is tried, in ms. */
const LOOK_AGAIN = 10;

export interface ServerProcessOptions {
  readonly cwd?: string;
  /** Ends the process when it aborts. */
  readonly signal?: AbortSignal;
}

export class ServerProcess implements AsyncDisposable {
  /** What it wrote to standard error. */
  log = "";
  readonly #process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  #logEnded = false;
  #onLog: () => void = () => {};

  constructor(command: readonly string[], options: ServerProcessOptions = {}) {
    this.#process = Bun.spawn(mortal(command), {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
      // As it is now; the default is as it was when this process began.
      env: process.env,
    });
    void this.#readLog(this.#process.stderr);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  signal(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL" | "SIGUSR2"): void {
    this.#process.kill(signal);
  }

  /** Waits for a log line, for so many ms. Rejects with the log if it does not come. */
  logged(pattern: string | RegExp, ms = READY_TIMEOUT): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(
      () => reject(new Error(`no ${String(pattern)} within ${ms} ms; so far: ${this.log}`)),
      ms,
    );
    const matches = (line: string) =>
      typeof pattern === "string" ? line.includes(pattern) : pattern.test(line);
    this.#onLog = () => {
      const line = this.log.split("\n").slice(0, -1).find(matches);
      if (line !== undefined) resolve(line);
      else if (this.#logEnded) reject(new Error(`it exited; so far: ${this.log}`));
    };
    this.#onLog();
    return promise.finally(() => clearTimeout(timer));
  }

  /** Waits until it accepts connections on a port. Rejects with the log if it does not. */
  async accepting(port: number): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT;
    while (!(await accepts(port))) {
      if (this.#logEnded) throw new Error(`it exited; so far: ${this.log}`);
      if (performance.now() > deadline) throw new Error(`it does not listen; so far: ${this.log}`);
      await Bun.sleep(LOOK_AGAIN);
    }
  }

  /** Lets it end in order. */
  async stop(): Promise<void> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_TIMEOUT);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  async #readLog(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
      this.log += text;
      this.#onLog();
    }
    this.#logEnded = true;
    this.#onLog();
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
    // Refused: it does not listen yet.
    return false;
  }
}
