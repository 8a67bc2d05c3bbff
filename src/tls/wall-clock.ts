/** The time of day, for what is due on a date. */

import type { Clock } from "../broker/clock.ts";

/** Longest that a timer is trusted, in ms: the machine may sleep, and its clock may be set. */
const LONGEST_TIMER = 60_000;

/** `now()` is milliseconds since 1970, and may jump. A callback's date can be any number of days away. */
export const wallClock: Clock = {
  now: () => Date.now(),
  callAt(at, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const left = at - Date.now();
      const due = () => (Date.now() >= at ? callback() : wait());
      timer = setTimeout(due, Math.min(Math.max(0, left), LONGEST_TIMER));
    };
    wait();
    return () => clearTimeout(timer);
  },
};
