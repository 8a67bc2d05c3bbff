/** Against the country files of Debian's package tor-geoipdb. REQUIRE_PEERS=1 makes their absence a failure. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";

import { readCountryFiles } from "../../src/geoip/country-files.ts";
import { formatIpv4, formatIpv6, valueOfAddress } from "./naive-address.ts";

const IPV4 = "/usr/share/tor/geoip";
const IPV6 = "/usr/share/tor/geoip6";
const required = process.env["REQUIRE_PEERS"] === "1";
const installed = existsSync(IPV4) && existsSync(IPV6);

/** Spot lookups per file. */
const SPOTS = 60;

interface Entry {
  readonly low: bigint;
  readonly high: bigint;
  readonly country: string;
}

test.skipIf(!installed && !required)(
  "the files of tor-geoipdb load in full and answer as a scan of their text does",
  async () => {
    const read = await readCountryFiles(IPV4, IPV6);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const ipv4 = await readEntries(IPV4, BigInt);
    const ipv6 = await readEntries(IPV6, valueOfAddress);
    expect(read.files.map((file) => file.entries)).toEqual([ipv4.length, ipv6.length]);
    expect(ipv4.length).toBeGreaterThan(SPOTS);
    expect(ipv6.length).toBeGreaterThan(SPOTS);

    for (const value of spots(ipv4)) {
      const address = formatIpv4(Number(value));
      expect(read.geoip.lookup(address)).toBe(scan(ipv4, value));
    }
    for (const value of spots(ipv6)) {
      expect(read.geoip.lookup(formatIpv6(value))).toBe(scan(ipv6, value));
    }
  },
);

async function readEntries(path: string, parse: (text: string) => bigint): Promise<Entry[]> {
  const text = await Bun.file(path).text();
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [low = "", high = "", country = ""] = line.split(",");
      return { low: parse(low), high: parse(high), country };
    });
}

/** The ends of entries all over the file, and the addresses just outside. */
function spots(entries: readonly Entry[]): bigint[] {
  const stride = Math.floor(entries.length / (SPOTS / 4));
  return entries
    .filter((_, i) => i % stride === stride - 1)
    .flatMap(({ low, high }) => [low - 1n, low, high, high + 1n]);
}

function scan(entries: readonly Entry[], value: bigint): string {
  return entries.find(({ low, high }) => low <= value && value <= high)?.country ?? "??";
}
