/** The life of the process: what it is doing, and what makes it stop. */

/** `starting → ready → draining → stopped`, and nothing else. */
export type Phase = "starting" | "ready" | "draining" | "stopped";

export interface LifeCycleParts {
  /**
   * Finishes what is in hand; called once, when the first stop is asked for. Its promise settles within a bounded time.
   */
  readonly drain: () => Promise<void>;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** Ends the process: 0 after a drain, 1 if it failed or a second stop cut it short. */
  readonly exit: (code: number) => void;
  /** What an operator may want to know. */
  readonly report: (message: string) => void;
}

/**
 * Milliseconds in which a second signal is taken for the first one. Ctrl-C and a service manager signal every process of
 * a group, and a launcher among them hands its own on.
 */
const SAME_SIGNAL = 1_000;

export class LifeCycle {
  readonly #parts: LifeCycleParts;
  #stopAskedAt = 0;
  #phase: Phase = "starting";

  constructor(parts: LifeCycleParts) {
    this.#parts = parts;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Everything is up. */
  ready(): void {
    if (this.#phase === "starting") this.#phase = "ready";
  }

  /**
   * Asks for the end: gently the first time, at once if it is asked for again a second later or more. Resolves when the
   * drain is over.
   */
  async stop(reason: string): Promise<void> {
    const now = this.#parts.now();
    if (this.#phase === "draining" || this.#phase === "stopped") {
      if (now - this.#stopAskedAt < SAME_SIGNAL) return;
      this.#parts.report(`${reason} again: stopping now`);
      this.#end(1);
      return;
    }
    this.#phase = "draining";
    this.#stopAskedAt = now;
    this.#parts.report(`${reason}: finishing matches in flight`);
    try {
      await this.#parts.drain();
      this.#end(0);
    } catch (error) {
      this.#parts.report(`draining failed: ${String(error)}`);
      this.#end(1);
    }
  }

  #end(code: number): void {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    this.#parts.report("stopped");
    this.#parts.exit(code);
  }
}
