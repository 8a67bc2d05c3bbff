/** A role that is up, as `main.ts` sees it. */

import type { Logger } from "../log/logger.ts";
import { systemClock } from "../system/system-clock.ts";
import { LifeCycle } from "./life-cycle.ts";

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

export interface RoleParts {
  /** Where it listens for peers now; a role that has no port leaves it out. */
  readonly listening?: { readonly url: string | undefined };
  /** As in `LifeCycleParts`. */
  readonly drain: () => Promise<void>;
  readonly reload: () => Promise<void>;
  readonly exit: Exit;
  readonly log: Logger;
}

/** The role that these parts make. Everything is up: a stop may be asked for from now on. */
export function started({ listening, drain, reload, exit, log }: RoleParts): Started {
  const lifeCycle = new LifeCycle({
    now: () => systemClock.now(),
    drain,
    exit,
    report: (message) => log.info(message),
  });
  lifeCycle.ready();
  return {
    ok: true,
    running: {
      get url() {
        return listening?.url;
      },
      stop: (reason) => lifeCycle.stop(reason),
      reload,
    },
  };
}
