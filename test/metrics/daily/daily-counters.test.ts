import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { GeoIp, UNKNOWN_COUNTRY } from "../../../src/geoip/geoip.ts";
import { NAT_TYPES, parseNatType } from "../../../src/messages/nat-type.ts";
import { foldProxyType, PROXY_TYPES } from "../../../src/messages/proxy-type.ts";
import { DailyCounters } from "../../../src/metrics/daily/daily-counters.ts";
import { parseCountryTable } from "../../geoip/whole-table.ts";
import vectors from "../../vectors/metrics_log.json";
import { countEvent, dailyEvent, expectedStats } from "./daily-events.ts";
import { readSnowflakeStats } from "./snowflake-stats.ts";

const NOON = new Date("2026-08-01T12:00:00.900Z");

describe("what the reference reports", () => {
  /** Lines in which we differ on purpose. */
  const DIFFERENCES: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
    [
      // Addresses and NATs are remembered apart from types.
      "type unknown hides NAT unknown for the same address",
      new Map([["snowflake-ips-nat-unknown", "2"]]),
    ],
    [
      "no geoip: proxies are not counted at all, clients are",
      new Map([
        ["snowflake-ips", "??=1"],
        ["snowflake-ips-standalone", "1"],
        ["snowflake-ips-total", "1"],
        ["snowflake-ips-nat-open", "1"],
      ]),
    ],
  ]);

  const geoip = sampleCountries();

  interface VectorEvent {
    readonly event: string;
    readonly ip?: string;
    readonly nat?: string;
    readonly type?: string;
    readonly method?: string;
    readonly status?: string;
    readonly name?: string;
    readonly times?: number;
  }

  function count(counters: DailyCounters, event: VectorEvent, geoipLoaded: boolean): void {
    const { ip = "" } = event;
    const countryOf = () => (geoipLoaded ? geoip.lookup(ip) : UNKNOWN_COUNTRY);
    const nat = parseNatType(event.nat ?? "") ?? "unknown";
    if (event.event === "proxy") {
      counters.proxySeen(Bun.hash.crc32(ip), countryOf, nat, foldProxyType(event.type ?? ""));
      return;
    }
    for (let i = 0; i < (event.times ?? 0); i++) {
      if (event.event === "client") {
        counters.clientEnded(method(event.method), end(event.status), nat, countryOf());
      } else {
        countPoll(counters, event.name);
      }
    }
  }

  function countPoll(counters: DailyCounters, name: string | undefined): void {
    if (name === "proxy-idle") counters.pollIdle();
    else if (name === "proxy-poll-with-relay-url") counters.pollReceived(true);
    else if (name === "proxy-poll-without-relay-url") counters.pollReceived(false);
    else if (name === "proxy-poll-rejected-relay-url") counters.patternRejected();
    else throw new Error(`no counter ${name}`);
  }

  test.each(vectors.cases)("$name", ({ name, events, geoip_loaded, prints }) => {
    const counters = new DailyCounters();
    const reports: string[][] = [];
    for (const event of events) {
      if (event.event === "print") {
        reports.push(comparable(counters.report(NOON)));
        counters.reset();
      } else {
        count(counters, event, geoip_loaded);
      }
    }
    const differences = DIFFERENCES.get(name);
    const expected = prints.map((lines) =>
      lines.map((line) => {
        const key = line.split(" ", 1).join();
        const value = differences?.get(key);
        return value === undefined ? line : `${key} ${value}`;
      }),
    );
    expect(reports).toEqual(expected);
  });

  test("each difference is one", () => {
    for (const [name, lines] of DIFFERENCES) {
      const prints = vectors.cases.find((vector) => vector.name === name)?.prints.flat() ?? [];
      for (const [key, value] of lines) {
        expect(prints.some((line) => line.startsWith(`${key} `))).toBe(true);
        expect(prints).not.toContain(`${key} ${value}`);
      }
    }
  });
});

/** The lines of a report as the vectors have them: without the time, and the lines by type in order of the alphabet. */
function comparable(report: string): string[] {
  const lines = report.split("\n").slice(0, -1);
  const [, ips = "", ...rest] = lines;
  const first = "snowflake-stats-end YYYY-MM-DD HH:MM:SS (86400 s)";
  return [first, ips, ...rest.slice(0, 5).toSorted(), ...rest.slice(5)];
}

function sampleCountries(): GeoIp {
  const table = (family: 4 | 6, text: string) => {
    const parsed = parseCountryTable(new TextEncoder().encode(text), family);
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.table;
  };
  return new GeoIp(
    table(4, "16777216,16777471,AU\n16777472,16778239,CN\n16778436,16779263,??\n"),
    table(6, "2a00::,2a00:ffff:ffff:ffff:ffff:ffff:ffff:ffff,DE\n"),
  );
}

function method(text: string | undefined): "http" | "ampcache" | "sqs" {
  if (text === "http" || text === "ampcache" || text === "sqs") return text;
  throw new Error(`no way to come: ${text}`);
}

function end(text: string | undefined): "denied" | "matched" | "timeout" {
  if (text === "denied" || text === "matched" || text === "timeout") return text;
  throw new Error(`no end: ${text}`);
}

describe("a report", () => {
  test("looks like this", () => {
    const counters = new DailyCounters();
    expect(counters.proxySeen(1, () => "DE", "open", "badge")).toBe(true);
    expect(counters.proxySeen(2, () => "", "strict", "unknown")).toBe(true);
    expect(counters.proxySeen(3, () => "", "strict", "webext")).toBe(true);
    for (let i = 0; i < 17; i++) counters.clientEnded("sqs", "matched", "open", "FR");
    counters.clientEnded("sqs", "denied", "restricted", "");
    expect(counters.report(NOON)).toBe(`snowflake-stats-end 2026-08-01 12:00:00 (86400 s)
snowflake-ips =2,DE=1
snowflake-ips-standalone 0
snowflake-ips-webext 1
snowflake-ips-badge 1
snowflake-ips-iptproxy 0
snowflake-ips-bloco 0
snowflake-ips-total 3
snowflake-idle-count 0
snowflake-proxy-poll-with-relay-url-count 0
snowflake-proxy-poll-without-relay-url-count 0
snowflake-proxy-rejected-for-relay-url-count 0
client-denied-count 8
client-restricted-denied-count 8
client-unrestricted-denied-count 0
client-nat-strict-denied-count 0
client-nat-moderate-denied-count 0
client-nat-open-denied-count 0
client-nat-unknown-denied-count 0
client-snowflake-match-count 24
client-snowflake-timeout-count 0
client-http-count 0
client-http-ips ${""}
client-ampcache-count 0
client-ampcache-ips ${""}
client-sqs-count 24
client-sqs-ips FR=24,=8
snowflake-ips-nat-restricted 0
snowflake-ips-nat-unrestricted 0
snowflake-ips-nat-unknown 0
snowflake-ips-nat-strict 2
snowflake-ips-nat-moderate 0
snowflake-ips-nat-open 1
`);
  });

  test("says of any day what happened", () => {
    fc.assert(
      fc.property(fc.array(dailyEvent, { maxLength: 300, size: "max" }), (events) => {
        const counters = new DailyCounters();
        for (const event of events) countEvent(counters, event);
        expect<object[]>(readSnowflakeStats(counters.report(NOON))).toEqual([
          { endedAt: new Date("2026-08-01T12:00:00Z"), length: 86_400, ...expectedStats(events) },
        ]);
      }),
    );
  });
});

describe("addresses", () => {
  test("are counted once for themselves, for each NAT and for each type", () => {
    const counters = new DailyCounters();
    for (const nat of NAT_TYPES) {
      for (const type of PROXY_TYPES) {
        const first = nat === NAT_TYPES[0] && type === PROXY_TYPES[0];
        expect(counters.proxySeen(5, () => "DE", nat, type)).toBe(first);
      }
    }
    const [stats] = readSnowflakeStats(counters.report(NOON));
    expect(stats?.ips).toEqual({ DE: 1 });
    expect(new Set(Object.values(stats?.ipsByNat ?? {}))).toEqual(new Set([1]));
    expect(new Set(Object.values(stats?.ipsByType ?? {}))).toEqual(new Set([1]));
  });

  test("are looked up only when they are new", () => {
    const counters = new DailyCounters();
    const noCountry = () => {
      throw new Error("looked up again");
    };
    expect(counters.proxySeen(5, () => "DE", "open", "badge")).toBe(true);
    expect(counters.proxySeen(5, noCountry, "strict", "webext")).toBe(false);
  });

  test("beyond the limit are not new, and how many polls that were is told", () => {
    const counters = new DailyCounters(2);
    const poll = (key: number) => counters.proxySeen(key, () => "DE", "open", "badge");
    expect([poll(1), poll(2), poll(3), poll(4), poll(3), poll(2)]).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(counters.uncounted).toBe(3);
    expect(counters.report(NOON)).toContain("\nsnowflake-ips-total 2\n");
    counters.reset();
    expect(counters.uncounted).toBe(0);
    expect(poll(3)).toBe(true);
  });
});

describe("snapshots", () => {
  const events = fc.array(dailyEvent, { maxLength: 100 });

  test("numbers go on from one", () => {
    fc.assert(
      fc.property(events, events, (before, after) => {
        const first = new DailyCounters();
        for (const event of before) countEvent(first, event);
        const second = new DailyCounters();
        for (const event of after) countEvent(second, event);
        second.restore(first.snapshot());
        expect(second.report(NOON)).toBe(first.report(NOON));
      }),
    );
  });

  test("addresses of before are counted again", () => {
    const before = new DailyCounters();
    before.proxySeen(1, () => "DE", "open", "badge");
    const after = new DailyCounters();
    after.restore(before.snapshot());
    expect(after.proxySeen(1, () => "DE", "open", "badge")).toBe(true);
    expect(after.report(NOON)).toContain("\nsnowflake-ips-total 2\n");
  });

  test("one changes with neither the counters it is of nor those it is given to", () => {
    const counters = new DailyCounters();
    counters.pollIdle();
    const snapshot = counters.snapshot();
    const other = new DailyCounters();
    other.restore(snapshot);
    counters.pollIdle();
    other.clientEnded("http", "denied", "open", "DE");
    expect(snapshot.polls.idle).toBe(1);
    expect(snapshot.clients.byCountry.http.size).toBe(0);
  });
});
