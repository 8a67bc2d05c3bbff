/** Keeps the number of countries within bounds, whatever the country files say. */

import { UNKNOWN_COUNTRY } from "../../geoip/geoip.ts";

/** How many countries are told apart. There are about 250; more come only out of a file that is no country file. */
export const COUNTRY_LIMIT = 512;

/** The countries that have a label value of their own. */
export class CountryLabels {
  readonly #known = new Set([UNKNOWN_COUNTRY]);

  /** The country as it stands, also if it is empty; beyond the limit, the unknown country. */
  fold(country: string): string {
    if (this.#known.has(country)) return country;
    if (this.#known.size >= COUNTRY_LIMIT) return UNKNOWN_COUNTRY;
    this.#known.add(country);
    return country;
  }
}
