/** How often one address may poll one pool. */

import { AddressTable, type Remembered } from "./address-table.ts";

/** The last poll of an address. It expires when the address may poll again. */
interface Noted extends Remembered {
  /** When it came. */
  readonly since: number;
}

/** Remembers until when each address has to wait. */
export class PollAllowance {
  readonly #noted: AddressTable<Noted>;
  /** Milliseconds from one poll of an address to its next. */
  interval: number;

  constructor(interval: number, maxEntries: number) {
    this.interval = interval;
    this.#noted = new AddressTable(maxEntries);
  }

  get size(): number {
    return this.#noted.size;
  }

  /**
   * Until when the key has to wait; undefined if it may poll now. A deadline that is only just reached still holds.
   * `inForce`: the interval of this moment, in ms. If it is shorter than the one that the key was told, it counts, since
   * not every proxy understands what it is told.
   */
  mustWaitUntil(key: number, now: number, inForce = Infinity): number | undefined {
    const noted = this.#noted.get(key, now);
    if (noted === undefined) return undefined;
    const at = Math.min(noted.expires, noted.since + inForce);
    return at >= now ? at : undefined;
  }

  /**
   * Notes a poll that came at `since`, whose proxy is told to leave `told` ms to its next. Who does not understand that is
   * held to the configured interval at most. When the table is full of addresses that still wait, the poll goes unnoted: a
   * flood of addresses must not keep honest proxies out.
   */
  note(key: number, since: number, told = this.interval): void {
    const expires = since + Math.min(told, this.interval);
    this.#noted.set(key, { since, expires }, since);
  }
}
