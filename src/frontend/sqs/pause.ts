/** Waiting that ends early. */

import type { Clock } from "../../broker/clock.ts";

/** Resolves after `ms`, or as soon as `stop` aborts. */
export function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      stop.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.callAt(clock.now() + ms, end);
    stop.addEventListener("abort", end);
  });
}
