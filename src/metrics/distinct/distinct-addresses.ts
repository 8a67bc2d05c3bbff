/** Counts the distinct addresses of proxies, chunk of time by chunk of time, without keeping any of them. */

import type { Address } from "../../messages/address.ts";
import type { NatType } from "../../messages/nat-type.ts";
import type { ProxyType } from "../../messages/proxy-type.ts";
import type { AddressHasher } from "./address-hasher.ts";
import { ADDRESS_SETS, type AddressSet, SET_BY_NAT, SET_BY_TYPE } from "./address-set.ts";
import { encodeJournalLine, type ZonedTime } from "./journal-line.ts";
import type { LocalClock } from "./local-clock.ts";
import { DistinctSketch } from "./sketch.ts";

/** Where finished chunks go: one journal for each set. */
export interface Journals {
  /**
   * Appends a line and flushes it to disk. Rejects if that failed; whatever part of the line was written is then gone,
   * or will be before the next line of the set. One call at a time.
   */
  append(set: AddressSet, line: string): Promise<void>;
}

export interface DistinctAddressesOptions {
  readonly hasher: AddressHasher;
  readonly journals: Journals;
  readonly clock: LocalClock;
  /**
   * Told of the first error of an outage, which ends with a round in which every line was written. Must not throw.
   */
  readonly onOutage: (error: unknown) => void;
}

/** What one set has seen since a time. */
interface Chunk {
  start: ZonedTime;
  sketch: DistinctSketch;
}

/**
 * Owners call `writeChunk` at an interval and once more at the end. At most two sketches of each set are in memory:
 * the growing one, and the one that is being written.
 */
export class DistinctAddresses {
  readonly #options: DistinctAddressesOptions;
  readonly #chunks: Readonly<Record<AddressSet, Chunk>>;
  #inOutage = false;
  /** The last round, running or done. */
  #round: Promise<void> = Promise.resolve();
  /** A round that waits for the running one. */
  #nextRound: Promise<void> | undefined;

  constructor(options: DistinctAddressesOptions) {
    this.#options = options;
    const start = this.#now();
    const chunk = (): Chunk => ({ start, sketch: new DistinctSketch() });
    this.#chunks = {
      open: chunk(),
      moderate: chunk(),
      strict: chunk(),
      standalone: chunk(),
      browser: chunk(),
      mobile: chunk(),
      unknown: chunk(),
    };
  }

  /** Counts the address of a poll, whose relay pattern was accepted, in the set of its NAT and in that of its type. */
  record(address: Address, nat: NatType, type: ProxyType): void {
    const { hi, lo } = this.#options.hasher.hash(address.reveal());
    this.#chunks[SET_BY_NAT[nat]].sketch.add(hi, lo);
    this.#chunks[SET_BY_TYPE[type]].sketch.add(hi, lo);
  }

  /**
   * Ends the chunk and writes a line for every set, empty ones too; if nothing was recorded in any set, the chunk goes
   * on. A set whose line could not be written keeps its addresses, and its start, for the next line. Never rejects.
   * What was recorded before the call is written, or has failed to be, when the promise is fulfilled.
   */
  writeChunk(): Promise<void> {
    if (this.#nextRound === undefined) {
      const round = this.#round.then(() => {
        this.#nextRound = undefined;
        return this.#writeRound();
      });
      this.#round = round;
      this.#nextRound = round;
    }
    return this.#nextRound;
  }

  async #writeRound(): Promise<void> {
    if (ADDRESS_SETS.every((set) => this.#chunks[set].sketch.isEmpty)) return;
    const end = this.#now();
    const ended = ADDRESS_SETS.map((set) => {
      const { start, sketch } = this.#chunks[set];
      this.#chunks[set].start = end;
      this.#chunks[set].sketch = new DistinctSketch();
      return { set, start, sketch };
    });
    const errors: unknown[] = [];
    for (const { set, start, sketch } of ended) {
      try {
        await this.#options.journals.append(set, encodeJournalLine(start, end, sketch));
      } catch (error) {
        errors.push(error);
        this.#chunks[set].start = start;
        this.#chunks[set].sketch.merge(sketch);
      }
    }
    const newOutage = errors.length > 0 && !this.#inOutage;
    this.#inOutage = errors.length > 0;
    if (newOutage) this.#options.onOutage(errors[0]);
  }

  #now(): ZonedTime {
    const time = this.#options.clock.now();
    return { time, offset: this.#options.clock.offsetAt(time) };
  }
}
