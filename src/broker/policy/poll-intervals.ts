/** How long a proxy waits from one poll to its next, and the file that says so. */

import { JsonMembers } from "../../messages/json-members.ts";
import { withoutByteOrderMark } from "../../messages/utf8.ts";

/** The interval of each pool: whole milliseconds, never negative. */
export interface PollIntervals {
  readonly open: number;
  readonly moderate: number;
  readonly strict: number;
}

/** The intervals where no file says otherwise. */
export const DEFAULT_POLL_INTERVALS: PollIntervals = {
  open: 20_000,
  moderate: 20_000,
  strict: 20_000,
};

export type ParsedPollIntervals =
  | { readonly ok: true; readonly intervals: PollIntervals }
  | { readonly ok: false; readonly error: string };

const MEMBERS = new JsonMembers<Record<keyof PollIntervals, number>>({
  open_poll_interval: (json, it) => (it.open = json.integer(it.open)),
  moderate_poll_interval: (json, it) => (it.moderate = json.integer(it.moderate)),
  strict_poll_interval: (json, it) => (it.strict = json.integer(it.strict)),
});

const POOLS = ["open", "moderate", "strict"] as const;

/**
 * Reads a poll interval file: a JSON object with an integer of milliseconds for each pool. A member that is missing or
 * null leaves the pool's interval as it is in `current`; other members are ignored; a negative interval is an error.
 */
export function parsePollIntervals(text: string, current: PollIntervals): ParsedPollIntervals {
  const intervals = { ...current };
  const error = MEMBERS.read(withoutByteOrderMark(text), intervals);
  if (error !== undefined) return { ok: false, error };
  for (const pool of POOLS) {
    if (intervals[pool] < 0) {
      return { ok: false, error: `member "${pool}_poll_interval" must not be negative` };
    }
    // Peers read the interval as an integer; below this every double is one. Adding 0 turns -0 into 0.
    intervals[pool] = Math.min(intervals[pool], Number.MAX_SAFE_INTEGER) + 0;
  }
  return { ok: true, intervals };
}
