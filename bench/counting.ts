/** This broker with everything counted: countries, journals of addresses, and the daily report in a file. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { brokerCommand } from "../test/kit/broker-process.ts";
import { type BuiltTarget, listenFlags } from "./targets.ts";

interface CountryFiles {
  readonly ipv4: string;
  readonly ipv6: string;
  /** For reports. */
  readonly origin: string;
}

/** Where Debian's tor-geoipdb puts them. */
const DEBIAN_FILES: CountryFiles = {
  ipv4: "/usr/share/tor/geoip",
  ipv6: "/usr/share/tor/geoip6",
  origin: "Debian's country files",
};

/** Where everything is counted. What is there is removed when it is disposed of. */
export interface Counting extends Disposable {
  /** Where the countries are from, for reports. */
  readonly origin: string;
  /** Flags of a broker. Each port has files of its own. */
  readonly flags: (port: number) => readonly string[];
}

/** Makes a directory for what is counted, and small country files unless those are installed. */
export function openCounting(installed: CountryFiles = DEBIAN_FILES): Counting {
  const directory = mkdtempSync(join(tmpdir(), "counting-"));
  const given = existsSync(installed.ipv4) && existsSync(installed.ipv6);
  const { ipv4, ipv6, origin } = given ? installed : writeCountryFiles(directory);
  return {
    origin,
    flags: (port) => [
      "--geoipdb",
      ipv4,
      "--geoip6db",
      ipv6,
      "--ip-count-prefix",
      join(directory, `${port}-`),
      "--metrics-log",
      join(directory, `${port}.log`),
    ],
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** This broker with everything counted. Each round has a port of its own, and so begins with files of its own. */
export function prepareCounting(installed?: CountryFiles): BuiltTarget {
  const counting = openCounting(installed);
  return {
    target: {
      name: "counting",
      label: `this broker with everything counted: ${counting.origin}, journals, the daily report in a file`,
      constant: false,
      command: (port, setup) => brokerCommand(...listenFlags(port, setup), ...counting.flags(port)),
    },
    [Symbol.dispose]: () => counting[Symbol.dispose](),
  };
}

/** Of so many bits is a range of addresses that one country has; the countries are AA to ZZ, again and again. */
const RANGE_BITS = 20;
const LETTERS = 26;

function writeCountryFiles(directory: string): CountryFiles {
  const ipv4 = join(directory, "geoip");
  const ipv6 = join(directory, "geoip6");
  const ranges = Array.from({ length: 2 ** (32 - RANGE_BITS) }, (_, index) => {
    const low = index * 2 ** RANGE_BITS;
    return `${low},${low + 2 ** RANGE_BITS - 1},${countryOf(index)}\n`;
  });
  writeFileSync(ipv4, ranges.join(""));
  writeFileSync(ipv6, "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,AA\n");
  return { ipv4, ipv6, origin: "generated country files" };
}

function countryOf(index: number): string {
  const letter = (value: number) => String.fromCodePoint(65 + (value % LETTERS));
  return letter(Math.floor(index / LETTERS)) + letter(index);
}
