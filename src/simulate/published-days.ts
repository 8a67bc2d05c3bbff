/**
 * Days of the public broker: figures published with "Snowflake, a censorship circumvention system using temporary WebRTC
 * proxies" (USENIX Security 2024), from its tables client-match, proxy-type and proxy-nat. Clients' polls are rounded to
 * 8 there; proxies are distinct addresses in a day.
 */

export interface PublishedDay {
  readonly date: string;
  /** Clients' polls that were answered. */
  readonly matched: number;
  /** Clients' polls that were denied, of clients that only open proxies can serve, and of others. */
  readonly deniedOpenOnly: number;
  readonly deniedOthers: number;
  readonly proxiesByType: {
    readonly standalone: number;
    readonly iptproxy: number;
    readonly webext: number;
    readonly badge: number;
  };
  readonly proxiesByNat: {
    readonly unrestricted: number;
    readonly restricted: number;
    readonly unknown: number;
  };
}

/** The day with the most polls of clients. */
export const WORST_DAY: PublishedDay = {
  date: "2022-09-23",
  matched: 11_647_904,
  deniedOpenOnly: 31_681_976,
  deniedOthers: 1_328_944,
  proxiesByType: { standalone: 3_308, iptproxy: 9_884, webext: 47_974, badge: 6_557 },
  proxiesByNat: { unrestricted: 2_093, restricted: 33_527, unknown: 30_620 },
};

/** A day with many proxies, when hardly anybody was denied. */
export const USUAL_DAY: PublishedDay = {
  date: "2024-02-28",
  matched: 5_381_680,
  deniedOpenOnly: 3_128,
  deniedOthers: 0,
  proxiesByType: { standalone: 4_421, iptproxy: 23_559, webext: 118_903, badge: 605 },
  proxiesByNat: { unrestricted: 2_491, restricted: 84_406, unknown: 59_969 },
};

/** A day when nobody was denied. */
export const QUIET_DAY: PublishedDay = {
  date: "2024-03-02",
  matched: 2_370_840,
  deniedOpenOnly: 0,
  deniedOthers: 0,
  proxiesByType: { standalone: 4_645, iptproxy: 21_459, webext: 107_204, badge: 562 },
  proxiesByNat: { unrestricted: 2_654, restricted: 78_635, unknown: 51_995 },
};

/** Half of the proxies turn over in so many ms: 20 hours, from the same publication. */
export const PROXY_HALF_LIFE = 20 * 3_600_000;
