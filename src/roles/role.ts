/** A role that is up, as `main.ts` sees it. */

export interface Running {
  /** Where it listens for peers, as a URL; undefined: it does not, or waits for its first certificate. */
  readonly url: string | undefined;
  /** Reads files again: SIGHUP. */
  reload(): Promise<void>;
  /** Drains and exits, or exits at once if it is draining already: SIGTERM and SIGINT. */
  stop(reason: string): Promise<void>;
}

export type Started =
  | { readonly ok: true; readonly running: Running }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

/** Ends the process. */
export type Exit = (code: number) => void;
