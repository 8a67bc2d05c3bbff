/** Addresses of peers that do not exist, and the countries they are in. */

import { Address } from "../messages/address.ts";

/** A country and how many peers are there. */
export interface WeighedCountry {
  /** Two letters. */
  readonly country: string;
  readonly weight: number;
}

/** Where clients are, an assumption: countries whose networks block Tor, as of the published days. */
export const CLIENT_COUNTRIES: readonly WeighedCountry[] = [
  { country: "ir", weight: 55 },
  { country: "ru", weight: 25 },
  { country: "cn", weight: 10 },
  { country: "tm", weight: 5 },
  { country: "us", weight: 5 },
];

/** Where proxies are, an assumption: most where Tor is not blocked. */
export const PROXY_COUNTRIES: readonly WeighedCountry[] = [
  { country: "us", weight: 40 },
  { country: "de", weight: 30 },
  { country: "fr", weight: 25 },
  { country: "ru", weight: 3 },
  { country: "ir", weight: 2 },
];

/** Where the proxies of a broker of one's own are: in no country of clients. */
export const HOME_COUNTRY: readonly WeighedCountry[] = [{ country: "de", weight: 1 }];

const COUNTRIES = ["us", "de", "fr", "ru", "ir", "cn", "tm"];

/** First bytes of the addresses of proxies and of clients; the country is added. */
const FIRST_BYTES = { proxy: 1, client: 101 } as const;

/** An address of its own for each number below 2^24, for a proxy and for a client. */
export function makeAddress(side: keyof typeof FIRST_BYTES, country: string, n: number): Address {
  const first = FIRST_BYTES[side] + COUNTRIES.indexOf(country);
  return new Address(`${first}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`);
}

/** The country of such an address; undefined for any other. */
export function countryOf(address: Address): string | undefined {
  const first = Number.parseInt(address.reveal(), 10);
  const sides = Object.values(FIRST_BYTES);
  return sides.map((base) => COUNTRIES[first - base]).find((country) => country !== undefined);
}
