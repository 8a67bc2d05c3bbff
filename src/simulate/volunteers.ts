/** Who volunteers: on a published day, and in a broker of one's own. */

import { HOME_COUNTRY, PROXY_COUNTRIES } from "./countries.ts";
import type { VolunteerKind, Volunteers } from "./population.ts";
import { PROXY_HALF_LIFE, type PublishedDay } from "./published-days.ts";

/** Lifetimes are taken to be exponential. */
const LIFETIME = PROXY_HALF_LIFE / Math.LN2;

/** How many proxies there are at a time, for each that is seen in a day. */
const AT_A_TIME = 1 / (1 + (24 * 3_600_000) / LIFETIME);

/** The share of open proxies that are Go programs; the others are browsers. Fitted: see scenarios.ts. */
const OPEN_GO = 0.5;

/** The share of proxies that did not find out their NAT type but are open: an assumption. */
const UNKNOWN_OPEN = 0.1;

/** The probability that an offer is not answered, and that its connection had died: an assumption. */
const LOST_OFFERS = { silence: 0.05, death: 0.05 } as const;

/** What a program is, and what its probe found out. */
type Kind = Omit<VolunteerKind, "weight" | "program">;

/** The volunteers of a published day. `newestGo`: the share of Go proxies that are of April 2026 or later. */
export function publishedVolunteers(day: PublishedDay, newestGo: number): Volunteers {
  const { standalone, iptproxy, webext, badge } = day.proxiesByType;
  const { unrestricted, restricted, unknown } = day.proxiesByNat;
  const go = (weight: number, kind: Kind): VolunteerKind[] => [
    { ...kind, program: "newest-go", weight: weight * newestGo },
    { ...kind, program: "older-go", weight: weight * (1 - newestGo) },
  ];
  const browsers = (weight: number, kind: Omit<Kind, "type" | "capacity">): VolunteerKind[] => [
    { ...kind, program: "browser", type: "webext", capacity: Infinity, weight },
  ];
  const openGo = OPEN_GO * unrestricted;
  const openBrowsers = unrestricted - openGo;
  const notOpen = (share: number, nat: Pick<Kind, "nat" | "open">) => [
    ...go((standalone - openGo) * share, { ...nat, type: "standalone", capacity: Infinity }),
    ...go(iptproxy * share, { ...nat, type: "iptproxy", capacity: 1 }),
    ...browsers((webext + badge - openBrowsers) * share, nat),
  ];
  const unknownShare = unknown / (unknown + restricted);
  const kinds = [
    ...go(openGo, { type: "standalone", nat: "unrestricted", open: 1, capacity: Infinity }),
    ...browsers(openBrowsers, { nat: "unrestricted", open: 1 }),
    ...notOpen(1 - unknownShare, { nat: "restricted", open: 0 }),
    ...notOpen(unknownShare, { nat: "unknown", open: UNKNOWN_OPEN }),
  ];
  return {
    kinds: kinds.map((kind) => ({ ...kind, weight: kind.weight * AT_A_TIME })),
    countries: PROXY_COUNTRIES,
    lifetime: LIFETIME,
    useless: 0.02,
    ...LOST_OFFERS,
    sharedAddresses: 0.05,
  };
}

/** Open Go proxies that stay, all of them good but for an offer lost now and then. */
export function steadyVolunteers(count: {
  readonly newest: number;
  readonly older: number;
}): Volunteers {
  const kind = { type: "standalone", nat: "unrestricted", open: 1, capacity: Infinity } as const;
  return {
    kinds: [
      { ...kind, program: "newest-go", weight: count.newest },
      { ...kind, program: "older-go", weight: count.older },
    ],
    countries: HOME_COUNTRY,
    lifetime: Infinity,
    useless: 0,
    ...LOST_OFFERS,
    sharedAddresses: 0,
  };
}
