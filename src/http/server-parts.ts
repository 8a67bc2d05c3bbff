/** What a server, and each of its protocols, is made of. */

import type { Handler } from "./message.ts";

export interface ProtocolParts {
  readonly handler: Handler;
  /** Names in lower case of the header fields that requests are given with. */
  readonly fields: ReadonlySet<string>;
  /** The value of `Date`, as RFC 9110 writes it. */
  readonly date: () => string;
  /** A handler threw: a bug of ours. */
  readonly onBug: (error: unknown) => void;
}
