/** From an address to the country it is in. */

import { LONGEST_ADDRESS, parseAddressWords } from "./address-words.ts";
import type { CountryTable } from "./country-table.ts";

/** Stands for the country of an address that no table knows. */
export const UNKNOWN_COUNTRY = "??";

/** Looks addresses up in one pair of tables. To change tables, make a new one. */
export class GeoIp {
  readonly #ipv4: CountryTable;
  readonly #ipv6: CountryTable;
  readonly #text = new Uint8Array(LONGEST_ADDRESS);
  readonly #words = new Uint32Array(4);

  constructor(ipv4: CountryTable, ipv6: CountryTable) {
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
  }

  /**
   * The country of an address in its usual text, `??` if the tables have none or the text is no address (one with a
   * zone isn't). IPv4-mapped IPv6 addresses count as IPv4. The country is the file's own text, and may be empty.
   */
  lookup(address: string): string {
    const words = this.#words;
    if (!this.#parse(address)) return UNKNOWN_COUNTRY;
    const isIpv4 = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
    return (isIpv4 ? this.#ipv4 : this.#ipv6).find(words) ?? UNKNOWN_COUNTRY;
  }

  #parse(address: string): boolean {
    const length = address.length;
    if (length > LONGEST_ADDRESS) return false;
    for (let i = 0; i < length; i++) {
      const unit = address.charCodeAt(i);
      if (unit > 0x7f) return false;
      this.#text[i] = unit;
    }
    return parseAddressWords(this.#text, 0, length, this.#words);
  }
}
