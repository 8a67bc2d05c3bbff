/** The sets that addresses of proxies are counted in. A poll enters one for its NAT and one for its type. */

import type { NatType } from "../../messages/nat-type.ts";
import type { ProxyType } from "../../messages/proxy-type.ts";

/** Their names, as they stand in the names of files. */
export const ADDRESS_SETS = [
  "open",
  "moderate",
  "strict",
  "standalone",
  "browser",
  "mobile",
  "unknown",
] as const;

export type AddressSet = (typeof ADDRESS_SETS)[number];

/** The set for a NAT: `strict` takes all that are not known to be better. */
export const SET_BY_NAT: Readonly<Record<NatType, AddressSet>> = {
  open: "open",
  unrestricted: "open",
  moderate: "moderate",
  strict: "strict",
  restricted: "strict",
  unknown: "strict",
};

/** The set for a type of proxy. */
export const SET_BY_TYPE: Readonly<Record<ProxyType, AddressSet>> = {
  standalone: "standalone",
  badge: "browser",
  webext: "browser",
  iptproxy: "mobile",
  bloco: "unknown",
  unknown: "unknown",
};
