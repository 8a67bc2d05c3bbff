/** The countries of addresses, from files that may be read again while the broker runs. */

import type { CountryFilePaths } from "../geoip/country-files.ts";
import { readCountryFiles } from "../geoip/country-files.ts";
import { type GeoIp, UNKNOWN_COUNTRY } from "../geoip/geoip.ts";
import type { Logger } from "../log/logger.ts";
import type { Address } from "../messages/address.ts";

export type Loaded = { readonly ok: true } | { readonly ok: false; readonly error: string };

export class CountryLookup {
  readonly #paths: CountryFilePaths | undefined;
  readonly #log: Logger;
  #geoip: GeoIp | undefined;

  /** Without paths every address is from an unknown country. */
  constructor(paths: CountryFilePaths | undefined, log: Logger) {
    this.#paths = paths;
    this.#log = log;
  }

  /** The country of an address as the files name it, `??` if they do not. */
  countryOf(address: Address | undefined): string {
    if (address === undefined || this.#geoip === undefined) return UNKNOWN_COUNTRY;
    return this.#geoip.lookup(address.reveal());
  }

  /**
   * Reads both files. An error leaves the tables in use as they are. Files that are missing, if nobody named them and
   * none are in use, are no error: the log says how to get them.
   */
  async load(): Promise<Loaded> {
    const paths = this.#paths;
    if (paths === undefined) return { ok: true };
    const read = await readCountryFiles(paths.ipv4, paths.ipv6);
    if (read.ok) {
      this.#geoip = read.geoip;
      for (const { path, sha1, entries } of read.files) {
        this.#log.info("country file loaded", { path, sha1, entries });
      }
      return { ok: true };
    }
    const nobodyAsked = !paths.required && this.#geoip === undefined;
    if (nobodyAsked && read.problems.every(({ kind }) => kind === "missing")) {
      this.#log.info(
        "no country files: countries are counted as ??; Debian's tor-geoipdb has them, or give --geoipdb and --geoip6db",
      );
      return { ok: true };
    }
    const faults = read.problems.map(({ path, error }) => `${path}: ${error}`);
    return { ok: false, error: `country files: ${faults.join("; ")}` };
  }
}
