/** The clients here that are sought a proxy elsewhere. */

import type { Client } from "../../broker/client.ts";
import type { PoolName } from "../../broker/policy/nat-classes.ts";

/** What is done for one client, from its offer to its outcome. */
export class Search {
  readonly client: Client;
  /** Where to look, the best first. */
  readonly pools: readonly PoolName[];
  /** Nodes that were asked: only they may bring an answer. */
  readonly asked = new Set<string>();
  /** Nodes that have given the offer to a proxy, or were silent: not asked again. */
  readonly avoided = new Set<string>();
  /** The client has a proxy, which is silent. */
  isSecond = false;

  constructor(client: Client, pools: readonly PoolName[]) {
    this.client = client;
    this.pools = pools;
  }

  /** Whether a proxy is still wanted. */
  get isOpen(): boolean {
    const { queue, match } = this.client;
    return queue !== undefined && (this.isSecond || match === undefined);
  }
}

/** Searches that wait until some node has a proxy, of clients that can use the same pools. */
interface Line {
  readonly pools: readonly PoolName[];
  /** In the order in which they came. */
  readonly searches: Set<Search>;
}

export class Searches {
  readonly #byTicket = new Map<number, Search>();
  /** Those that can use the fewest pools first: the others may yet be served by proxies that these can't use. */
  #lines: readonly Line[] = [];
  #lastTicket = 0;

  find(ticket: number): Search | undefined {
    return this.#byTicket.get(ticket);
  }

  /** Begins a search, and gives its client a ticket. */
  begin(client: Client, pools: readonly PoolName[]): Search {
    const search = new Search(client, pools);
    client.ticket = ++this.#lastTicket;
    this.#byTicket.set(client.ticket, search);
    return search;
  }

  /** Ends the search for a client. */
  end(client: Client): void {
    const search = this.#byTicket.get(client.ticket);
    if (search === undefined) return;
    this.#byTicket.delete(client.ticket);
    this.#lineFor(search.pools).searches.delete(search);
  }

  /** Lets a search wait, until `wake` takes it. */
  wait(search: Search): void {
    this.#lineFor(search.pools).searches.add(search);
  }

  /**
   * Takes out searches that wait, in the order in which they are to be served. `isWorthwhile`: whether there may be a proxy
   * in one of these pools. `ask` returns false if there is none for this search, which then waits on.
   */
  wake(
    isWorthwhile: (pools: readonly PoolName[]) => boolean,
    ask: (search: Search) => boolean,
  ): void {
    for (const { pools, searches } of this.#lines) {
      for (const search of searches) {
        if (!isWorthwhile(pools)) break;
        if (!search.isOpen || ask(search)) searches.delete(search);
      }
    }
  }

  #lineFor(pools: readonly PoolName[]): Line {
    const known = this.#lines.find((line) => line.pools === pools);
    if (known !== undefined) return known;
    const line = { pools, searches: new Set<Search>() };
    this.#lines = [...this.#lines, line].toSorted((a, b) => a.pools.length - b.pools.length);
    return line;
  }
}
