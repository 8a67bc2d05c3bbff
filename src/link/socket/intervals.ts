/** The poll intervals in force, told to frontends for when they have to answer a poll without a core. */

import type { PollIntervals } from "../../broker/policy/poll-intervals.ts";
import type { Codec } from "./codec.ts";

export const INTERVALS: Codec<PollIntervals> = {
  write(to, { open, moderate, strict }) {
    to.whole(open);
    to.whole(moderate);
    to.whole(strict);
  },
  read: (from) => ({ open: from.whole(), moderate: from.whole(), strict: from.whole() }),
};
