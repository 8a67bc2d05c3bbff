/** Other brokers, on other machines, that may have a proxy when this one has none. */

import type { ProxyAnswer } from "../messages/proxy-answer.ts";
import type { AnswerOutcome } from "./broker.ts";
import type { Client } from "./client.ts";
import type { PoolName } from "./policy/nat-classes.ts";

/**
 * What `LocalBroker` asks and tells of other brokers, synchronously. What becomes of a client comes back by
 * `givenElsewhere`, `nobodyElsewhere` and `answeredElsewhere` of `LocalBroker`, never before `seek` has returned.
 */
export interface Elsewhere {
  /**
   * A client found no proxy here, in these pools, the best first. True: another broker is asked. Whether it is or not,
   * others are asked as soon as they have a proxy, until the client has one or has ended.
   */
  seek(client: Client, pools: readonly PoolName[]): boolean;
  /** The proxy of a client is silent: asks others that have proxies to spare for another one, once. */
  seekSecond(client: Client, pools: readonly PoolName[]): void;
  /** A client that was sought for has its outcome. */
  ended(client: Client): void;
  /** A proxy begins to wait here. */
  proxyWaits(pool: PoolName): void;
  /**
   * An answer came that nobody here waits for. Undefined: nobody elsewhere does. Never rejects, and settles within a
   * second, or three if the way to the others has just been lost.
   */
  answer(answer: ProxyAnswer): Promise<AnswerOutcome | undefined>;
}
