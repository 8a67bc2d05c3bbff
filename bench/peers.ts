/** The peers of the load: proxies that poll and answer, clients that offer, all on connections of their own. */

import { AddressCycle } from "./address-cycle.ts";
import type { Approach } from "./approach.ts";
import { type ClientWay, HttpWay } from "./client-way.ts";
import type { Connection } from "./http-connection.ts";
import {
  assertAnswerReply,
  assertClientReply,
  BadReply,
  bodyOf,
  CONSTANT_NONCE,
  encodeClientPoll,
  formatNonce,
  formatOffer,
} from "./messages.ts";
import { takeProxyTurn } from "./proxy-turn.ts";
import { Tally } from "./tally.ts";
import { WaitingPlaces } from "./waiting-places.ts";

/** So many connections are opened at a time: timers are too coarse for one by one. */
const CONNECTIONS_AT_ONCE = 10;
/** One proxy in four takes any client; the others only clients with an unrestricted NAT. */
const OPEN_SHARE = 0.25;
/** Longest time that clients get to finish what is in flight, in ms. Brokers give up after 5 s. */
const FINISH_TIMEOUT = 8000;

export class Peers {
  /** What the proxies have seen, and the clients that were given no tally of their own. */
  readonly tally = new Tally();
  readonly #open: () => Connection;
  readonly #connectionsPerSecond: number;
  readonly #addresses: AddressCycle;
  readonly #connections: { close(): void }[] = [];
  readonly #clients: Promise<void>[] = [];
  #serial = 0;
  #clientsStopping = false;
  #closed = false;

  /** `addresses`: how many the peers use in turn. A broker refuses an address for 20 s after its poll. */
  constructor({ open, connectionsPerSecond }: Approach, addresses: number) {
    this.#open = open;
    this.#connectionsPerSecond = connectionsPerSecond;
    this.#addresses = new AddressCycle(addresses);
  }

  /**
   * Starts proxies of which `waiting` wait at any time. `spares` more stand by in each pool: when a proxy has got its
   * offer, a spare one polls while the first answers. Resolves when all have begun to poll.
   */
  async startProxies(waiting: number, spares: number): Promise<void> {
    const open = Math.ceil(waiting * OPEN_SHARE);
    if (open < 2 * spares)
      throw new Error(`${waiting} waiting proxies are too few: a pool of ${open} may run empty`);
    await this.#startPool("unrestricted", open, spares);
    await this.#startPool("restricted", waiting - open, spares);
  }

  /** Starts clients that offer again as soon as they have their answer. Every other one needs an open proxy. */
  startClients(
    count: number,
    tally: Tally = this.tally,
    open: () => ClientWay = () => new HttpWay(this.#open(), this.#addresses),
  ): void {
    for (let index = 0; index < count; index++) {
      const way = this.#keep(open());
      const nat = index % 2 === 0 ? "unrestricted" : "unknown";
      const exchange = () => makeMatch(way, nat, formatNonce(++this.#serial), tally);
      this.#clients.push(this.#repeat(exchange, () => this.#clientsStopping, tally));
    }
  }

  /** For a server of constants, where nobody can wait: a client's and a proxy's requests side by side. */
  startConstantPairs(count: number): void {
    const { tally } = this;
    for (let index = 0; index < count; index++) {
      const client = this.#keep(new HttpWay(this.#open(), this.#addresses));
      const proxy = this.#keep(this.#open());
      const exchange = async () => {
        await Promise.all([
          makeMatch(client, "unrestricted", CONSTANT_NONCE, tally),
          this.#serve(proxy, "unrestricted", () => {}),
        ]);
      };
      this.#clients.push(this.#repeat(exchange, () => this.#clientsStopping, tally));
    }
  }

  /** Lets the clients finish what is in flight; if they can't, that is an error. */
  async stopClients(): Promise<void> {
    this.#clientsStopping = true;
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), FINISH_TIMEOUT);
    const end = await Promise.race([Promise.all(this.#clients), late]);
    clearTimeout(timer);
    if (end === "late") this.tally.fail("a client got no reply");
  }

  /** Closes all connections, whatever is in flight. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection.close();
  }

  async #startPool(nat: string, waiting: number, spares: number): Promise<void> {
    const places = new WaitingPlaces(waiting);
    for (let index = 0; index < waiting + spares; index++) {
      const connection = this.#keep(this.#open());
      const exchange = async () => {
        await places.take();
        await this.#serve(connection, nat, () => places.leave());
      };
      void this.#repeat(exchange, () => this.#closed, this.tally);
      if (index < waiting && index % CONNECTIONS_AT_ONCE === 0)
        await Bun.sleep((1000 * CONNECTIONS_AT_ONCE) / this.#connectionsPerSecond);
    }
  }

  #keep<Closable extends { close(): void }>(connection: Closable): Closable {
    this.#connections.push(connection);
    return connection;
  }

  /** Goes on after a reply that is wrong, ends with the connection. Both are errors of the run. */
  async #repeat(exchange: () => Promise<void>, isOver: () => boolean, tally: Tally): Promise<void> {
    while (!isOver()) {
      try {
        await exchange();
      } catch (error) {
        if (this.#closed) return;
        tally.fail(error instanceof Error ? error.message : String(error));
        if (!(error instanceof BadReply)) return;
      }
    }
  }

  /** One poll of a proxy, and the answer if a client came. `polled` is called when the poll has its reply. */
  async #serve(connection: Connection, nat: string, polled: () => void): Promise<void> {
    this.tally.waiting++;
    const turn = await takeProxyTurn((path, body) => this.#post(connection, path, body), {
      nat,
      onPolled: () => {
        this.tally.waiting--;
        polled();
      },
    });
    if (turn.kind === "answered") assertAnswerReply(turn.reply);
    else this.tally.idlePolls++;
  }

  async #post(connection: Connection, path: string, body: string): Promise<string> {
    return bodyOf(await connection.post(path, body, this.#addresses.next()), path);
  }
}

/** One match of a client. */
async function makeMatch(way: ClientWay, nat: string, nonce: string, tally: Tally): Promise<void> {
  const began = performance.now();
  const reply = await way.exchange(encodeClientPoll(formatOffer(nonce), nat));
  const latency = performance.now() - began;
  assertClientReply(reply, nonce, way.name);
  tally.latencies.push(latency);
}
