import { within } from "./waiting.ts";

/** Longest time a child gets between SIGTERM and SIGKILL, in ms. */
const GRACE = 3_000;
/**
 * Runs a command in a process group with a guard, which reads standard input for ever. It comes to the input's end when
 * the tests are gone, however they ended, and then kills the group.
 */
const GUARDED = `exec 3<&0
{ read -r _ <&3; kill -s KILL 0; } >/dev/null 2>&1 &
exec "$@" <&3 3<&-`;
/** How many of its last lines an error about a child shows. */
const LINES_SHOWN = 30;

export interface ChildOptions {
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * A child process whose output is read line by line, standard output and standard error together. It leads a process
 * group of its own, which is killed as a whole when the child is disposed of, or when the tests themselves are killed.
 */
export class ChildProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: string[] = [];
  #changed = Promise.withResolvers<void>();
  #ended = false;

  constructor(command: readonly string[], options: ChildOptions = {}) {
    this.#name = command[0] ?? "";
    this.#process = Bun.spawn(["sh", "-c", GUARDED, "sh", ...command], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    void this.#readBoth();
  }

  async #readBoth(): Promise<void> {
    await Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)]);
    this.#ended = true;
    this.#changed.resolve();
  }

  async #read(output: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let unfinished = "";
    for await (const bytes of output) {
      const lines = (unfinished + decoder.decode(bytes, { stream: true })).split("\n");
      unfinished = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
    if (unfinished !== "") this.#lines.push(unfinished);
  }

  /** The first match in a line, printed already or still to come; rejects after `bound` ms or when the output ends. */
  async line(pattern: RegExp, bound = 10_000): Promise<RegExpMatchArray> {
    try {
      return await within(bound, `line ${pattern}`, this.#line(pattern));
    } catch (cause) {
      const last = this.#lines.slice(-LINES_SHOWN).join("\n");
      throw new Error(`${this.#name} did not print ${pattern}; its last lines:\n${last}`, {
        cause,
      });
    }
  }

  async #line(pattern: RegExp): Promise<RegExpMatchArray> {
    for (let next = 0; ; next++) {
      while (next >= this.#lines.length) {
        if (this.#ended) throw new Error("its output has ended");
        await this.#changed.promise;
      }
      const match = this.#lines[next]?.match(pattern);
      if (match) return match;
    }
  }

  /** Stops the program where it is, as if its machine had frozen: connections stay open, nothing is answered. */
  freeze(): void {
    process.kill(this.#process.pid, "SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signalGroup("SIGTERM");
    // Who is stopped gets no other signal.
    this.#signalGroup("SIGCONT");
    const timer = setTimeout(() => this.#signalGroup("SIGKILL"), GRACE);
    await this.#process.exited;
    clearTimeout(timer);
    this.#signalGroup("SIGKILL");
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#process.pid, signal);
    } catch (error) {
      const gone = error instanceof Error && "code" in error && error.code === "ESRCH";
      if (!gone) throw error;
    }
  }
}

/**
 * A child that has printed the line which says that it is ready. Returns the child and that line's match; a child that
 * does not get so far is ended before the rejection.
 */
export async function startChild(
  command: readonly string[],
  ready: RegExp,
  options: ChildOptions = {},
): Promise<{ readonly child: ChildProcess; readonly match: RegExpMatchArray }> {
  const child = new ChildProcess(command, options);
  try {
    return { child, match: await child.line(ready) };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
