/**
 * A child process that is restarted when it dies or is frozen. It stops when its stdin closes, so that it does not
 * outlive the parent, and no signal that is meant for all processes, a terminal's or a service manager's, reaches it
 * twice. Certificates with their keys are sent over stdin. On stdout it gives signs of life.
 */

import { saysListening, SIGN_EVERY } from "./sign-of-life.ts";

/** Milliseconds before a worker is started again: more each time it dies soon. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 30_000;

/** A worker that lived for so many milliseconds is no longer taken for one that can't start. */
const HEALTHY_AFTER = 60_000;

/** Milliseconds that a worker may take to drain beyond its spread: a client in flight, and what is pending after that. */
const DRAIN_TIMEOUT = 15_000;

/**
 * Signs of life that may be missing before a worker is taken for frozen, and killed. One turn of the event loop handles
 * 1,024 sockets at most, so it takes about 4 s if each is a handshake with RSA 4096 (3.8 ms, the slowest certificate).
 */
const SIGNS_MISSED = 8;

const FROZEN = `gave no sign of life for ${(SIGNS_MISSED * SIGN_EVERY) / 1_000} s and was killed`;

/** The signs that a process may miss when it has just been started: it has to load the program first, on a busy machine. */
const FIRST_SIGNS_MISSED = 30;

/** In a compiled program the code is in the program itself. */
const COMPILED = Bun.main.startsWith("/$bunfs/");

type WorkerProcess = Bun.Subprocess<"pipe", "pipe", "inherit">;

/** What becomes of a worker. Messages hold no address. */
export interface WorkerEvents {
  /** It listens; called once, for the first process that does. */
  readonly listens: () => void;
  /**
   * Its process ended before any listened, and is not started again: what it can't have now it can't have later.
   * `message` is undefined if the process has logged why.
   */
  readonly failed: (message: string | undefined) => void;
  /** Its process died or was frozen, and is started again. */
  readonly restarts: (message: string) => void;
}

export class Worker {
  readonly #command: readonly string[];
  readonly #events: WorkerEvents;
  #listened = false;
  /** Signs of life that the process has missed. Counted, not timed: the parent may have been frozen itself. */
  #missed = 0;
  #frozen = false;
  #watch: ReturnType<typeof setInterval>;
  #process: WorkerProcess;
  /** The last one it was told. */
  #line: string | undefined;
  #startedAt = 0;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopping = false;

  /** Starts this program with the arguments. */
  constructor(args: readonly string[], events: WorkerEvents) {
    // The runtime's own flags too: they keep it from obeying files of the folder that the broker is started in.
    const program = COMPILED ? [] : [...process.execArgv, Bun.main];
    this.#command = [process.execPath, ...program, ...args];
    this.#events = events;
    this.#process = this.#start();
    this.#watch = setInterval(() => this.#look(), SIGN_EVERY);
  }

  /** Writes a line to its standard input, and at every later start to that of the process in its place. */
  tell(line: string): void {
    this.#line = line;
    write(this.#process, line);
  }

  #start(): WorkerProcess {
    this.#startedAt = performance.now();
    this.#missed = SIGNS_MISSED - FIRST_SIGNS_MISSED;
    this.#frozen = false;
    const started = Bun.spawn([...this.#command], {
      stdio: ["pipe", "pipe", "inherit"],
      onExit: (_, code, signal) => this.#exited(code, signal),
    });
    if (this.#line !== undefined) write(started, this.#line);
    void this.#readSigns(started);
    return started;
  }

  async #readSigns({ stdout }: WorkerProcess): Promise<void> {
    for await (const signs of stdout) {
      this.#missed = 0;
      if (this.#listened || this.#stopping || !saysListening(signs)) continue;
      this.#listened = true;
      this.#events.listens();
    }
  }

  #look(): void {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    if (++this.#missed <= SIGNS_MISSED) return;
    this.#frozen = true;
    this.#process.kill("SIGKILL");
  }

  #exited(code: number | null, signal: number | string | null): void {
    if (this.#stopping) return;
    if (performance.now() - this.#startedAt > HEALTHY_AFTER) this.#pause = FIRST_PAUSE;
    const status = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const how = this.#frozen ? FROZEN : `ended with ${status}`;
    if (!this.#listened) {
      clearInterval(this.#watch);
      this.#events.failed(code === 1 ? undefined : `${how} before it listened`);
      return;
    }
    this.#events.restarts(`${how}; started again in ${this.#pause} ms`);
    this.#timer = setTimeout(() => {
      this.#process = this.#start();
    }, this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  /**
   * Closes its standard input, at which it drains, over `spread` ms at least; resolves when it has exited, by itself or
   * not.
   */
  async stop(spread: number): Promise<void> {
    this.#end();
    await this.#process.stdin.end();
    const timer = setTimeout(() => this.kill(), DRAIN_TIMEOUT + spread);
    await this.#process.exited;
    clearTimeout(timer);
  }

  /** Ends it now. */
  kill(): void {
    this.#end();
    this.#process.kill("SIGKILL");
  }

  #end(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
  }
}

function write({ stdin }: WorkerProcess, line: string): void {
  for (const written of [stdin.write(`${line}\n`), stdin.flush()]) {
    // It fails when the process has died, of which `#exited` hears, too.
    if (written instanceof Promise) written.catch(() => {});
  }
}
