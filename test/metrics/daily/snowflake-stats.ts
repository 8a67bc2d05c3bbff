/** A reader of daily reports as those have it who collect them: strict, and made from the description alone. */

import type { RendezvousMethod } from "../../../src/broker/broker.ts";
import type { NatType } from "../../../src/messages/nat-type.ts";

export type Countries = Readonly<Record<string, number>>;

/** One report, named by field. */
export interface SnowflakeStats {
  readonly endedAt: Date;
  /** Length of the window in seconds. */
  readonly length: number;
  readonly ips: Countries;
  readonly ipsByType: Readonly<Record<string, number>>;
  readonly ipsTotal: number;
  readonly ipsByNat: Readonly<Record<NatType, number>>;
  readonly idle: number;
  readonly withRelayUrl: number;
  readonly withoutRelayUrl: number;
  readonly rejectedForRelayUrl: number;
  readonly denied: number;
  readonly deniedByNat: Readonly<Record<NatType, number>>;
  readonly matched: number;
  readonly timedOut: number;
  readonly clients: Readonly<Record<RendezvousMethod, number>>;
  readonly clientIps: Readonly<Record<RendezvousMethod, Countries>>;
}

/** The reports of a log, in order. Throws if the log is anything but whole reports. */
export function readSnowflakeStats(text: string): SnowflakeStats[] {
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Error("the last line is torn");
  const lines = text.slice(0, -1).split("\n");
  const reports: SnowflakeStats[] = [];
  for (let i = 0; i < lines.length; i += 33) reports.push(readReport(lines.slice(i, i + 33)));
  return reports;
}

function readReport(lines: readonly string[]): SnowflakeStats {
  const reader = new LineReader(lines);
  const end = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) \((\d+) s\)$/.exec(
    reader.value("snowflake-stats-end"),
  );
  if (end === null) throw new Error("no time");
  return {
    endedAt: new Date(`${end[1]}T${end[2]}Z`),
    length: Number(end[3]),
    ips: reader.countries("snowflake-ips"),
    ipsByType: {
      standalone: reader.count("snowflake-ips-standalone"),
      webext: reader.count("snowflake-ips-webext"),
      badge: reader.count("snowflake-ips-badge"),
      iptproxy: reader.count("snowflake-ips-iptproxy"),
      bloco: reader.count("snowflake-ips-bloco"),
    },
    ipsTotal: reader.count("snowflake-ips-total"),
    idle: reader.rounded("snowflake-idle-count"),
    withRelayUrl: reader.rounded("snowflake-proxy-poll-with-relay-url-count"),
    withoutRelayUrl: reader.rounded("snowflake-proxy-poll-without-relay-url-count"),
    rejectedForRelayUrl: reader.rounded("snowflake-proxy-rejected-for-relay-url-count"),
    denied: reader.rounded("client-denied-count"),
    deniedByNat: {
      restricted: reader.rounded("client-restricted-denied-count"),
      unrestricted: reader.rounded("client-unrestricted-denied-count"),
      strict: reader.rounded("client-nat-strict-denied-count"),
      moderate: reader.rounded("client-nat-moderate-denied-count"),
      open: reader.rounded("client-nat-open-denied-count"),
      unknown: reader.rounded("client-nat-unknown-denied-count"),
    },
    matched: reader.rounded("client-snowflake-match-count"),
    timedOut: reader.rounded("client-snowflake-timeout-count"),
    ...readClients(reader),
    ipsByNat: {
      restricted: reader.count("snowflake-ips-nat-restricted"),
      unrestricted: reader.count("snowflake-ips-nat-unrestricted"),
      unknown: reader.count("snowflake-ips-nat-unknown"),
      strict: reader.count("snowflake-ips-nat-strict"),
      moderate: reader.count("snowflake-ips-nat-moderate"),
      open: reader.count("snowflake-ips-nat-open"),
    },
  };
}

function readClients(reader: LineReader): Pick<SnowflakeStats, "clients" | "clientIps"> {
  const http = reader.rounded("client-http-count");
  const httpIps = reader.roundedCountries("client-http-ips");
  const ampcache = reader.rounded("client-ampcache-count");
  const ampcacheIps = reader.roundedCountries("client-ampcache-ips");
  const sqs = reader.rounded("client-sqs-count");
  const sqsIps = reader.roundedCountries("client-sqs-ips");
  return {
    clients: { http, ampcache, sqs },
    clientIps: { http: httpIps, ampcache: ampcacheIps, sqs: sqsIps },
  };
}

/** Takes the lines of a report, each of which must have the key that is asked for. */
class LineReader {
  readonly #lines: readonly string[];
  #next = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  value(key: string): string {
    const line = this.#lines[this.#next++] ?? "";
    if (!line.startsWith(`${key} `)) throw new Error(`${key} expected, not ${line}`);
    return line.slice(key.length + 1);
  }

  count(key: string): number {
    return readCount(this.value(key));
  }

  rounded(key: string): number {
    return readRounded(this.count(key));
  }

  /** Falling counts; rising codes where counts are equal. */
  countries(key: string): Countries {
    const value = this.value(key);
    if (value === "") return {};
    const countries: Record<string, number> = {};
    let before: { cc: string; count: number } | undefined;
    for (const entry of value.split(",")) {
      const [cc = "", text = "", ...rest] = entry.split("=");
      const count = readCount(text);
      if (rest.length > 0 || count === 0) throw new Error(`no entry: ${entry}`);
      const inOrder =
        before === undefined ||
        before.count > count ||
        (before.count === count && Buffer.compare(Buffer.from(before.cc), Buffer.from(cc)) < 0);
      if (!inOrder) throw new Error(`not in order: ${entry}`);
      countries[cc] = count;
      before = { cc, count };
    }
    return countries;
  }

  roundedCountries(key: string): Countries {
    const countries = this.countries(key);
    Object.values(countries).forEach(readRounded);
    return countries;
  }
}

function readCount(text: string): number {
  if (!/^(0|[1-9]\d*)$/.test(text)) throw new Error(`no count: ${text}`);
  return Number(text);
}

function readRounded(count: number): number {
  if (count % 8 !== 0) throw new Error(`not rounded: ${count}`);
  return count;
}
