/** Counts what the daily report tells. */

import type { RendezvousMethod } from "../../broker/broker.ts";
import type { NatType } from "../../messages/nat-type.ts";
import type { ProxyType } from "../../messages/proxy-type.ts";
import {
  type CountryCounts,
  createDailyCounts,
  type DailyCounts,
  isReportedType,
  type ReportedType,
} from "./daily-counts.ts";
import { formatDailyReport } from "./daily-report.ts";
import { SeenAddresses } from "./seen-addresses.ts";

/** How a client that is counted ended. */
export type ClientEnd = "denied" | "matched" | "timeout";

/** Ten times the addresses of the public network in a day: 21 MB, and 31 MB for the moment of growing to that. */
export const DEFAULT_MAX_ADDRESSES = 1_500_000;

/**
 * The counters of one window after another. Only polls whose relay pattern was accepted may be told to `proxySeen`.
 *
 * Distinct addresses are exact as long as the process lives. `restore` brings numbers back, but no addresses: those
 * seen before and after are counted twice, so that the numbers are then upper bounds.
 */
export class DailyCounters {
  #counts: DailyCounts = createDailyCounts();
  readonly #seen: SeenAddresses;
  #uncounted = 0;

  /** Holds no more than `maxAddresses` addresses at a time. */
  constructor(maxAddresses: number = DEFAULT_MAX_ADDRESSES) {
    this.#seen = new SeenAddresses(maxAddresses);
  }

  /** Polls of this window that were not counted among the addresses because there was no room for theirs. */
  get uncounted(): number {
    return this.#uncounted;
  }

  /**
   * A proxy polled. True if its address is new in this window; only then is the country asked for. `key`: a hash of
   * the address under a secret, up to 53 bits; all polls without address share one.
   */
  proxySeen(key: number, countryOf: () => string, nat: NatType, type: ProxyType): boolean {
    const natBit = NAT_BITS[nat];
    const typeBit = isReportedType(type) ? TYPE_BITS[type] : 0;
    const before = this.#seen.add(key, natBit | typeBit);
    if (before === undefined) {
      this.#uncounted++;
      return false;
    }
    const counts = this.#counts;
    if (before === 0) addOne(counts.proxiesByCountry, countryOf());
    if ((before & natBit) === 0) counts.proxiesByNat[nat]++;
    if (isReportedType(type) && (before & typeBit) === 0) counts.proxiesByType[type]++;
    return before === 0;
  }

  /** A poll came in, with a relay pattern in it or without. */
  pollReceived(withPattern: boolean): void {
    if (withPattern) this.#counts.polls.withPattern++;
    else this.#counts.polls.withoutPattern++;
  }

  /** A poll was refused for its relay pattern. */
  patternRejected(): void {
    this.#counts.polls.patternRejected++;
  }

  /** A poll ended without a client. */
  pollIdle(): void {
    this.#counts.polls.idle++;
  }

  /** A client was told its outcome. */
  clientEnded(rendezvous: RendezvousMethod, end: ClientEnd, nat: NatType, country: string): void {
    const { clients } = this.#counts;
    switch (end) {
      case "denied":
        clients.deniedByNat[nat]++;
        break;
      case "matched":
        clients.matched++;
        break;
      case "timeout":
        clients.timedOut++;
        break;
    }
    addOne(clients.byCountry[rendezvous], country);
  }

  /** The report of the window until now. */
  report(endedAt: Date): string {
    return formatDailyReport(this.#counts, endedAt);
  }

  /** A new window begins: nothing is counted, no address was seen. */
  reset(): void {
    this.#counts = createDailyCounts();
    this.#seen.clear();
    this.#uncounted = 0;
  }

  /** The numbers as they are now; the copy stays as it is. No address can be told from them. */
  snapshot(): DailyCounts {
    return structuredClone(this.#counts);
  }

  /** Goes on from numbers of a window that began earlier, in place of those there are. */
  restore(counts: DailyCounts): void {
    this.#counts = structuredClone(counts);
  }
}

/** As what an address was seen: one bit for each NAT type and each type that has a line of its own. */
const NAT_BITS: Readonly<Record<NatType, number>> = {
  restricted: 1 << 0,
  unrestricted: 1 << 1,
  unknown: 1 << 2,
  strict: 1 << 3,
  moderate: 1 << 4,
  open: 1 << 5,
};
const TYPE_BITS: Readonly<Record<ReportedType, number>> = {
  standalone: 1 << 6,
  webext: 1 << 7,
  badge: 1 << 8,
  iptproxy: 1 << 9,
  bloco: 1 << 10,
};

function addOne(countries: CountryCounts, country: string): void {
  countries.set(country, (countries.get(country) ?? 0) + 1);
}
