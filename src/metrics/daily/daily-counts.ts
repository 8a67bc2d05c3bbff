/** The numbers of one window, exact. */

import type { RendezvousMethod } from "../../broker/broker.ts";
import type { NatType } from "../../messages/nat-type.ts";
import type { ProxyType } from "../../messages/proxy-type.ts";

/** The proxy types that have a line in the report, in the order of these lines. */
export const REPORTED_TYPES = ["standalone", "webext", "badge", "iptproxy", "bloco"] as const;

export type ReportedType = (typeof REPORTED_TYPES)[number];

/** Whether a type has a line in the report. */
export function isReportedType(type: ProxyType): type is ReportedType {
  return type !== "unknown";
}

/** How often each country occurred. Countries are the country files' own texts, and may be empty. */
export type CountryCounts = Map<string, number>;

/** What is counted. Totals that are sums of other numbers here are not counted apart. */
export interface DailyCounts {
  /** Distinct addresses. */
  readonly proxiesByCountry: CountryCounts;
  /** Distinct addresses of each type; an address may have several. */
  readonly proxiesByType: Record<ReportedType, number>;
  /** Distinct addresses of each NAT type; an address may have several. */
  readonly proxiesByNat: Record<NatType, number>;
  readonly polls: {
    idle: number;
    withPattern: number;
    withoutPattern: number;
    patternRejected: number;
  };
  readonly clients: {
    readonly deniedByNat: Record<NatType, number>;
    matched: number;
    timedOut: number;
    /** Clients (not addresses) however they ended, by the way they came. */
    readonly byCountry: Readonly<Record<RendezvousMethod, CountryCounts>>;
  };
}

export function createDailyCounts(): DailyCounts {
  return {
    proxiesByCountry: new Map(),
    proxiesByType: { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0 },
    proxiesByNat: createNatCounts(),
    polls: { idle: 0, withPattern: 0, withoutPattern: 0, patternRejected: 0 },
    clients: {
      deniedByNat: createNatCounts(),
      matched: 0,
      timedOut: 0,
      byCountry: { http: new Map(), ampcache: new Map(), sqs: new Map() },
    },
  };
}

function createNatCounts(): Record<NatType, number> {
  return { restricted: 0, unrestricted: 0, unknown: 0, strict: 0, moderate: 0, open: 0 };
}
