/** Things that only a frontend sees, such as messages that it refuses, told to the core so that one place counts. */

import type { Codec } from "./codec.ts";

/** So many messages of a route ended for a reason: words of fixed vocabularies, never anything of a peer's. */
export interface Count {
  readonly route: string;
  readonly reason: string;
  /** At least 1. */
  readonly n: number;
}

/** The longest word, in UTF-16 code units: longer ones can't be of any vocabulary. */
const MAX_WORD = 64;

export const COUNT: Codec<Count> = {
  write(to, { route, reason, n }) {
    to.text(route);
    to.text(reason);
    to.u32(n);
  },
  read(from) {
    const count = { route: from.text(), reason: from.text(), n: from.u32() };
    const { route, reason, n } = count;
    return n > 0 && route.length <= MAX_WORD && reason.length <= MAX_WORD ? count : undefined;
  },
};
