import { expect, test } from "bun:test";

import { Address } from "../../src/messages/address.ts";
import {
  CLIENT_COUNTRIES,
  countryOf,
  makeAddress,
  PROXY_COUNTRIES,
} from "../../src/simulate/countries.ts";

test("an address tells its country, and no two are alike", () => {
  const seen = new Set<string>();
  for (const [side, countries] of [
    ["proxy", PROXY_COUNTRIES],
    ["client", CLIENT_COUNTRIES],
  ] as const) {
    for (const { country } of countries) {
      for (const n of [0, 1, 256, 2 ** 24 - 1]) {
        const address = makeAddress(side, country, n);
        expect(countryOf(address)).toBe(country);
        seen.add(address.reveal());
      }
    }
  }
  expect(seen.size).toBe(4 * (PROXY_COUNTRIES.length + CLIENT_COUNTRIES.length));
  expect(countryOf(new Address("203.0.113.1"))).toBeUndefined();
});
