/** Proxies that wait, of which many can be made to poll at the same moment. */

import { AddressCycle } from "./address-cycle.ts";
import type { Approach } from "./approach.ts";
import type { Connection } from "./http-connection.ts";
import { bodyOf } from "./messages.ts";
import { takeProxyTurn } from "./proxy-turn.ts";
import { Tally } from "./tally.ts";

/** How long a poll waits for a client, in s. */
const POLL_SECONDS = 10;
/** So many connections are opened at a time: timers are too coarse for one by one. */
const CONNECTIONS_AT_ONCE = 10;
/** Proxies poll every 10 s, so each address rests 30 s. A broker refuses it for 20 s. */
const ADDRESSES_PER_PROXY = 3;

export class Crowd {
  readonly tally = new Tally();
  readonly #approach: Approach;
  readonly #addresses: AddressCycle;
  readonly #proxies: number;
  readonly #together: number;
  readonly #connections: Connection[] = [];
  #gathering = false;
  #held: (() => void)[] = [];
  /** Of those that poll together, how many have lost their connection. */
  #lost = 0;
  #onGathered = () => {};
  #closed = false;

  /** `together`: how many of the proxies poll together when asked to; the others go on by themselves. */
  constructor(approach: Approach, proxies: number, together: number) {
    this.#approach = approach;
    this.#addresses = new AddressCycle(ADDRESSES_PER_PROXY * proxies);
    this.#proxies = proxies;
    this.#together = together;
  }

  /** Starts all proxies over so many seconds at least, so that their polls end evenly. Resolves when all poll. */
  async start(seconds = POLL_SECONDS): Promise<void> {
    const { open, connectionsPerSecond } = this.#approach;
    const pace = Math.min(connectionsPerSecond, this.#proxies / seconds);
    for (let index = 0; index < this.#proxies && !this.#closed; index++) {
      const connection = open();
      this.#connections.push(connection);
      void this.#live(connection, index < this.#together);
      if (index % CONNECTIONS_AT_ONCE === 0) await Bun.sleep((1000 * CONNECTIONS_AT_ONCE) / pace);
    }
  }

  /** Holds back the next poll of those that poll together. Resolves when none of them waits any more. */
  gather(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gathering = true;
    this.#onGathered = resolve;
    this.#lookWhetherGathered();
    return promise;
  }

  /** Lets all that are held back poll at once. Resolves when all these polls have ended. */
  release(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onGathered = resolve;
    for (const poll of held) poll();
    return promise;
  }

  /** Closes all connections, whatever is in flight. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection.close();
  }

  async #live(connection: Connection, isTogether: boolean): Promise<void> {
    try {
      while (!this.#closed) {
        if (isTogether && this.#gathering) await this.#hold();
        await this.#poll(connection);
      }
    } catch (error) {
      if (this.#closed) return;
      this.tally.fail(error instanceof Error ? error.message : String(error));
      if (isTogether) this.#lost++;
      this.#lookWhetherGathered();
    }
  }

  async #poll(connection: Connection): Promise<void> {
    const { tally } = this;
    tally.waiting++;
    const turn = await takeProxyTurn(
      async (path, body) => bodyOf(await connection.post(path, body, this.#addresses.next()), path),
      { nat: "unrestricted", onPolled: () => void tally.waiting-- },
    );
    if (turn.kind !== "idle") throw new Error("/proxy: a client that nobody sent");
    tally.idlePolls++;
  }

  #hold(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push(resolve);
    this.#lookWhetherGathered();
    return promise;
  }

  #lookWhetherGathered(): void {
    if (this.#held.length + this.#lost === this.#together) this.#onGathered();
  }
}
