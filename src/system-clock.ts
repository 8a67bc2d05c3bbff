/** The clock of the machine. */

import type { Clock } from "./broker/clock.ts";

export const systemClock: Clock = {
  now: () => performance.now(),
  callAt(at, callback) {
    const timer = setTimeout(callback, Math.max(0, at - performance.now()));
    return () => clearTimeout(timer);
  },
};
