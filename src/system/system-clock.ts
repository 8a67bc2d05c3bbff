/** The clock of the machine. */

import type { Clock } from "../broker/clock.ts";

/** The longest delay that a timer of the runtime takes, in ms: 24.8 days. A longer one would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  callAt(at, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const left = at - performance.now();
      timer =
        left > LONGEST_DELAY
          ? setTimeout(wait, LONGEST_DELAY)
          : setTimeout(callback, Math.max(0, left));
    };
    wait();
    return () => clearTimeout(timer);
  },
};
