import { describe, expect, test } from "bun:test";

import * as fc from "fast-check";

import { type CountryTable, type Family } from "../../src/geoip/country-table.ts";
import { GeoIp, UNKNOWN_COUNTRY } from "../../src/geoip/geoip.ts";
import vectors from "../vectors/geoip.json";
import { parseCountryTable } from "./whole-table.ts";

function load(text: string, family: Family): CountryTable {
  const parsed = parseCountryTable(new TextEncoder().encode(text), family);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.table;
}

const allIpv4 = load("0,4294967295,V4", 4);
const allIpv6 = load("::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,V6", 6);
const everywhere = new GeoIp(allIpv4, allIpv6);

describe("reference lookups", () => {
  const geoip = new GeoIp(load(vectors.geoip, 4), load(vectors.geoip6, 6));
  test.each(vectors.lookups)("$ip is in $country", ({ ip, country }) => {
    expect(geoip.lookup(ip)).toBe(country);
  });
});

describe("lookup", () => {
  test("takes IPv4 and IPv4-mapped addresses to one table, all others to the other", () => {
    expect(everywhere.lookup("0.0.0.0")).toBe("V4");
    expect(everywhere.lookup("::ffff:0.0.0.0")).toBe("V4");
    expect(everywhere.lookup("::ffff:102:304")).toBe("V4");
    expect(everywhere.lookup("::ffff:0:102:304")).toBe("V6");
    expect(everywhere.lookup("0:0:1::ffff:102:304")).toBe("V6");
    expect(everywhere.lookup("0:1::ffff:102:304")).toBe("V6");
    expect(everywhere.lookup("::1.2.3.4")).toBe("V6");
    expect(everywhere.lookup("64:ff9b::1.2.3.4")).toBe("V6");
    expect(everywhere.lookup("::")).toBe("V6");
  });

  test("knows nothing with empty tables", () => {
    const geoip = new GeoIp(load("", 4), load("", 6));
    expect(geoip.lookup("1.2.3.4")).toBe(UNKNOWN_COUNTRY);
    expect(geoip.lookup("::1")).toBe(UNKNOWN_COUNTRY);
  });

  test("keeps an empty country apart from an unknown one", () => {
    const geoip = new GeoIp(load("1,1,\n2,2,??\n", 4), load("", 6));
    expect(geoip.lookup("0.0.0.1")).toBe("");
    expect(geoip.lookup("0.0.0.2")).toBe("??");
  });

  test("does not take for an address what only looks like one in its low bits", () => {
    expect(everywhere.lookup("\u0131.2.3.4")).toBe(UNKNOWN_COUNTRY);
    expect(everywhere.lookup("1.2.3.4\0")).toBe(UNKNOWN_COUNTRY);
    expect(everywhere.lookup(`${"0".repeat(50)}1.2.3.4`)).toBe(UNKNOWN_COUNTRY);
  });

  test("is not led astray by the lookup before", () => {
    const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 50 }));
    fc.assert(
      fc.property(text, text, (before, after) => {
        everywhere.lookup(before);
        expect(everywhere.lookup(after)).toBe(new GeoIp(allIpv4, allIpv6).lookup(after));
      }),
    );
  });

  test("finds every address in a table of all addresses", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (ipv4, ipv6) => {
        expect(everywhere.lookup(ipv4)).toBe("V4");
        expect(everywhere.lookup(ipv6)).not.toBe(UNKNOWN_COUNTRY);
      }),
    );
  });
});
