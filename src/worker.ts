/**
 * A process of ours that is started again when it dies. It lives until its standard input closes, so that it ends with
 * us whatever becomes of us, and no signal that is meant for us all, a terminal's or a service manager's, reaches it
 * twice. What it is to know and nobody else is written there.
 */

/** Milliseconds before a worker is started again: more each time it dies soon. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 30_000;

/** A worker that lived for so many milliseconds is no longer taken for one that can't start. */
const HEALTHY_AFTER = 60_000;

/** Milliseconds that a worker may take to drain: a client in flight, and what is pending after that. */
const DRAIN_TIMEOUT = 15_000;

/** In a compiled program the code is in the program itself. */
const COMPILED = Bun.main.startsWith("/$bunfs/");

type WorkerProcess = Bun.Subprocess<"pipe", "inherit", "inherit">;

export class Worker {
  readonly #command: readonly string[];
  readonly #onDied: (message: string) => void;
  #process: WorkerProcess;
  /** The last one it was told. */
  #line: string | undefined;
  #startedAt = 0;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopping = false;

  /** Starts this program with the arguments. `onDied` is told, without an address, that it died and is started again. */
  constructor(args: readonly string[], onDied: (message: string) => void) {
    // The runtime's own flags too: they keep it from obeying files of the folder that the broker is started in.
    const program = COMPILED ? [] : [...process.execArgv, Bun.main];
    this.#command = [process.execPath, ...program, ...args];
    this.#onDied = onDied;
    this.#process = this.#start();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Writes a line to its standard input, and at every later start to that of the process in its place. */
  tell(line: string): void {
    this.#line = line;
    write(this.#process, line);
  }

  #start(): WorkerProcess {
    this.#startedAt = performance.now();
    const started = Bun.spawn([...this.#command], {
      stdio: ["pipe", "inherit", "inherit"],
      onExit: (_, code, signal) => this.#exited(code, signal),
    });
    if (this.#line !== undefined) write(started, this.#line);
    return started;
  }

  #exited(code: number | null, signal: number | string | null): void {
    if (this.#stopping) return;
    if (performance.now() - this.#startedAt > HEALTHY_AFTER) this.#pause = FIRST_PAUSE;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    this.#onDied(`ended with ${how}; started again in ${this.#pause} ms`);
    this.#timer = setTimeout(() => {
      this.#process = this.#start();
    }, this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  /** Closes its standard input, at which it drains; resolves when it has exited, by itself or not. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#process.stdin.end();
    const timer = setTimeout(() => this.kill(), DRAIN_TIMEOUT);
    await this.#process.exited;
    clearTimeout(timer);
  }

  /** Ends it now. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#process.kill("SIGKILL");
  }
}

function write({ stdin }: WorkerProcess, line: string): void {
  for (const written of [stdin.write(`${line}\n`), stdin.flush()]) {
    // It fails when the process has died, of which `#exited` hears, too.
    if (written instanceof Promise) written.catch(() => {});
  }
}
