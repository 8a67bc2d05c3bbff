/**
 * Matches that failed although the proxy answered. A client gives up on a channel after 10 s and asks again. So the same
 * address back soon after an answer means that this pair could not connect.
 */

import type { NatType } from "../../messages/nat-type.ts";
import { AddressTable, type Remembered } from "./address-table.ts";

/** When after an answer an offer of the same address is a retry, in ms. */
const EARLIEST_RETRY = 9_500;
const LATEST_RETRY = 30_000;

/** How long a client counts as one that could not connect, in ms. */
const MEMORY = 3_600_000;

/** The next stricter class of clients. `unknown` clients use open proxies only, as strict ones do. */
const STRICTER: Readonly<Record<NatType, NatType>> = {
  unrestricted: "moderate",
  open: "moderate",
  moderate: "strict",
  restricted: "restricted",
  strict: "strict",
  unknown: "unknown",
};

interface Attempts extends Remembered {
  /** When its last answer came, and which proxy sent it; undefined: what became of that answer is known. */
  readonly answeredAt: number | undefined;
  readonly proxy: number;
  /** How many classes stricter the client counts, 0 to 2. */
  readonly stricter: number;
  /** The proxy that it could not connect to last. */
  readonly failedWith: number | undefined;
  /** Several clients use the address, at a front or behind one NAT: nothing can be learnt from it. */
  readonly isShared: boolean;
}

/** How a client is matched that could not connect. */
export interface Lesson {
  readonly nat: NatType;
  /** Stands for the address of a proxy that it should not get again. */
  readonly failedWith: number | undefined;
}

/** What became of an answer, by the proxy that sent it. */
export interface PairOutcomes {
  readonly onFailed: (proxy: number, now: number) => void;
  /** Its client did not come back. Called late: when something else is remembered. */
  readonly onWorked: (proxy: number, now: number) => void;
}

export class Retries {
  readonly #records: AddressTable<Attempts>;
  readonly #outcomes: PairOutcomes;

  constructor(maxEntries: number, outcomes: PairOutcomes) {
    this.#outcomes = outcomes;
    this.#records = new AddressTable(maxEntries, ({ answeredAt, proxy, isShared, expires }) => {
      if (answeredAt !== undefined && !isShared) outcomes.onWorked(proxy, expires);
    });
  }

  /** A client asks for a proxy; undefined: nothing is known of it. */
  offerCame(key: number, nat: NatType, now: number): Lesson | undefined {
    let record = this.#records.get(key, now);
    if (record?.answeredAt !== undefined && !record.isShared) {
      record = this.#learn(record, now - record.answeredAt, now);
      this.#records.set(key, record, now);
    }
    if (record === undefined || record.isShared || record.stricter === 0) return undefined;
    let stricter = nat;
    for (let step = 0; step < record.stricter; step++) stricter = STRICTER[stricter];
    return { nat: stricter, failedWith: record.failedWith };
  }

  /** The client's offer was answered by this proxy. */
  answered(key: number, proxy: number, now: number): void {
    const known = this.#records.get(key, now);
    if (known?.isShared === true) return;
    this.#records.set(
      key,
      {
        answeredAt: now,
        proxy,
        stricter: known?.stricter ?? 0,
        failedWith: known?.failedWith,
        isShared: false,
        expires: Math.max(now + LATEST_RETRY, known?.expires ?? 0),
      },
      now,
    );
  }

  #learn(record: Attempts, elapsed: number, now: number): Attempts {
    const { proxy, stricter } = record;
    // One client leaves at least 10 s between its offers.
    if (elapsed < EARLIEST_RETRY) return { ...record, isShared: true, expires: now + MEMORY };
    if (elapsed > LATEST_RETRY) {
      this.#outcomes.onWorked(proxy, now);
      return { ...record, answeredAt: undefined };
    }
    this.#outcomes.onFailed(proxy, now);
    return {
      ...record,
      answeredAt: undefined,
      stricter: Math.min(stricter + 1, 2),
      failedWith: proxy,
      expires: now + MEMORY,
    };
  }
}
