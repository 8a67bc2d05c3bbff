import { describe, expect, spyOn, test } from "bun:test";
import { closeSync, openSync } from "node:fs";

import fc from "fast-check";

import type { OfferEnd, PollEnd } from "../../../src/broker/events.ts";
import { DEFAULT_POLL_INTERVALS } from "../../../src/broker/policy/poll-intervals.ts";
import { NAT_TYPES } from "../../../src/messages/nat-type.ts";
import { PROXY_TYPES } from "../../../src/messages/proxy-type.ts";
import { COUNTRY_LIMIT } from "../../../src/metrics/prometheus/country-labels.ts";
import type { Load } from "../../../src/metrics/prometheus/load-families.ts";
import { PrometheusMetrics } from "../../../src/metrics/prometheus/prometheus-metrics.ts";
import vector from "../../vectors/prometheus.json";
import { readExposition } from "./exposition-reader.ts";
import { playVector } from "./vector-events.ts";

const NOBODY = { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0, unknown: 0 };
const IDLE: Load = {
  waitingByPoolAndType: { open: NOBODY, moderate: NOBODY, strict: NOBODY },
  matchesInFlight: 0,
  waitingClients: 0,
  pollIntervals: DEFAULT_POLL_INTERVALS,
};

const UPSTREAM: ReadonlySet<string> = new Set([
  "snowflake_available_proxies",
  "snowflake_proxy_total",
  "snowflake_rounded_client_poll_total",
  "snowflake_rounded_proxy_answer_total",
  "snowflake_rounded_proxy_poll_rejected_relay_url_extension_total",
  "snowflake_rounded_proxy_poll_total",
  "snowflake_rounded_proxy_poll_with_relay_url_extension_total",
  "snowflake_rounded_proxy_poll_without_relay_url_extension_total",
]);

const nat = fc.constantFrom(...NAT_TYPES);
const type = fc.constantFrom(...PROXY_TYPES);

class TestMetrics extends PrometheusMetrics implements Disposable {
  constructor(load = () => IDLE) {
    super({ version: "1.2.3", load });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The value of every series, by its name in the text without the namespace. */
  async series(): Promise<ReadonlyMap<string, number>> {
    const text = await this.exposition();
    const lines = text.split("\n").filter((line) => line.startsWith("snowflake_"));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice("snowflake_".length, space), Number(line.slice(space))];
      }),
    );
  }

  /** What the series that a deed changes show afterwards; those of the process change by themselves. */
  async changes(deed: () => void): Promise<Record<string, number>> {
    const before = await this.series();
    deed();
    const after = [...(await this.series())];
    return Object.fromEntries(
      after.filter(
        ([name, value]) => !/^(process|event_loop)_/.test(name) && before.get(name) !== value,
      ),
    );
  }
}

describe("upstream's families", () => {
  test("are upstream's to the byte", async () => {
    using metrics = new TestMetrics();
    playVector(metrics);
    expect(await metrics.exposition(UPSTREAM)).toBe(vector.text);
  });

  test("are absent until something happens", async () => {
    using metrics = new TestMetrics();
    expect(await metrics.exposition(UPSTREAM)).toBe("");
  });

  const polls: readonly (readonly [PollEnd, Record<string, number>])[] = [
    ["matched", { 'rounded_proxy_poll_total{nat="open",status="matched",type="badge"}': 8 }],
    ["idle", { 'rounded_proxy_poll_total{nat="open",status="idle",type="badge"}': 8 }],
    ["withdrawn", { 'rounded_proxy_poll_total{nat="open",status="idle",type="badge"}': 8 }],
    ["superseded", { 'rounded_proxy_poll_total{nat="open",status="idle",type="badge"}': 8 }],
    ["duplicate", { 'rounded_proxy_poll_total{nat="open",status="idle",type="badge"}': 8 }],
    ["full", { 'rounded_proxy_poll_total{nat="open",status="idle",type="badge"}': 8 }],
    ["draining", { 'rounded_proxy_poll_total{nat="open",status="idle",type="badge"}': 8 }],
    ["too-soon", {}],
  ];
  test.each(polls)("and ours count a poll that ended %s", async (end, expected) => {
    using metrics = new TestMetrics();
    metrics.pollAdmitted("open", "badge");
    const changed = await metrics.changes(() => metrics.pollEnded("open", "badge", end, 30_000));
    const histogram = {
      'rounded_poll_to_offer_seconds_bucket{pool="open",le="+Inf"}': 8,
      'rounded_poll_to_offer_seconds_count{pool="open"}': 8,
      'rounded_poll_to_offer_seconds_sum{pool="open"}': 30,
    };
    expect(changed).toEqual({
      'available_proxies{nat="open",type="badge"}': 0,
      [`rounded_proxy_poll_outcomes_total{outcome="${end}",type="badge"}`]: 8,
      ...expected,
      ...(end === "matched" ? histogram : {}),
    });
  });

  test("and ours count a poll with a wrong pattern, which was never available", async () => {
    using metrics = new TestMetrics();
    const reject = () => metrics.pollEnded("open", "badge", "pattern-rejected", 0);
    expect(await metrics.changes(reject)).toEqual({
      'rounded_proxy_poll_rejected_relay_url_extension_total{nat="open",type="badge"}': 8,
      'rounded_proxy_poll_outcomes_total{outcome="pattern-rejected",type="badge"}': 8,
    });
  });

  const offers: readonly (readonly [OfferEnd, string | undefined])[] = [
    ["answered", "matched"],
    ["denied", "denied"],
    ["full", "denied"],
    ["timed-out", "timeout"],
    ["abandoned", "timeout"],
    ["unknown-bridge", undefined],
  ];
  test.each(offers)("and ours count an offer that ended %s", async (end, status) => {
    using metrics = new TestMetrics();
    const changed = await metrics.changes(() =>
      metrics.clientEnded("DE", "strict", "sqs", end, 7000),
    );
    const series = `rounded_client_poll_total{cc="DE",nat="strict",rendezvous_method="sqs",status="${status}"}`;
    const histogram = {
      'rounded_offer_to_answer_seconds_bucket{le="+Inf"}': 8,
      rounded_offer_to_answer_seconds_count: 8,
      rounded_offer_to_answer_seconds_sum: 7,
    };
    expect(changed).toEqual({
      [`rounded_client_poll_outcomes_total{outcome="${end}",rendezvous_method="sqs"}`]: 8,
      ...(status === undefined ? {} : { [series]: 8 }),
      ...(end === "answered" ? histogram : {}),
    });
  });

  test("count proxies as available from the pattern check to the end of their poll", async () => {
    const ends = fc.constantFrom(...polls.map(([end]) => end));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(nat, type, ends), { maxLength: 30 }), async (all) => {
        using metrics = new TestMetrics();
        for (const [n, t] of all) metrics.pollAdmitted(n, t);
        const sum = async () =>
          [...(await metrics.series())]
            .filter(([name]) => name.startsWith("available_proxies"))
            .reduce((total, [, value]) => total + value, 0);
        expect(await sum()).toBe(all.length);
        for (const [n, t, end] of all) metrics.pollEnded(n, t, end, 0);
        expect(await sum()).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});

describe("rounding", () => {
  test("shows the smallest multiple of 8 that is not below the count", async () => {
    using metrics = new TestMetrics();
    for (let count = 1; count <= 33; count++) {
      metrics.answerEnded(undefined);
      metrics.refused("client", "json");
      metrics.newProxyAddress("DE", "open", "badge");
      const series = await metrics.series();
      const shown = series.get('rounded_proxy_answer_total{status="timeout",type=""}') ?? 0;
      expect(shown % 8).toBe(0);
      expect(shown - count).toBeWithin(0, 8);
      expect(series.get('rounded_proxy_answer_outcomes_total{outcome="client-gone"}')).toBe(shown);
      expect(series.get('rounded_refused_messages_total{reason="json",route="client"}')).toBe(
        shown,
      );
      expect(series.get('proxy_total{cc="DE",nat="open",type="badge"}')).toBe(count);
    }
  });

  test("spares nothing that counts messages of clients or proxies but upstream's exact family", async () => {
    using metrics = new TestMetrics();
    playVector(metrics);
    for (let n = 0; n < 3; n++) {
      metrics.refused("answer", "candidate");
      metrics.clientEnded("DE", "open", "http", "answered", 100 * n);
    }
    const families = readExposition(await metrics.exposition());
    const counting = families.filter(
      ({ type: kind, name }) => kind !== "gauge" && !name.includes("_process_"),
    );
    expect(counting.length).toBeGreaterThan(10);
    for (const { name, samples } of counting) {
      const exact = samples.filter((s) => !s.name.endsWith("_sum") && s.value % 8 !== 0);
      if (name === "snowflake_proxy_total") expect(exact).not.toBeEmpty();
      else expect(exact).toBeEmpty();
    }
  });
});

describe("label values", () => {
  test("are bounded: beyond so many countries, all others are one", async () => {
    using metrics = new TestMetrics();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 2 * COUNTRY_LIMIT; n++) {
        metrics.newProxyAddress(`${n}`, "open", "badge");
        metrics.clientEnded(`${n}`, "open", "http", "denied", 0);
      }
    }
    const families = readExposition(await metrics.exposition(UPSTREAM));
    const [proxies, clients] = families.map(({ samples }) => samples);
    expect(proxies).toBeArrayOfSize(COUNTRY_LIMIT);
    expect(clients).toBeArrayOfSize(COUNTRY_LIMIT);
    expect(proxies?.find(({ labels }) => labels["cc"] === "??")?.value).toBe(
      2 * (COUNTRY_LIMIT + 1),
    );
    expect(proxies?.find(({ labels }) => labels["cc"] === "0")?.value).toBe(2);
  });

  test("hold any country as it stands", async () => {
    using metrics = new TestMetrics();
    const countries = ["", "??", 'a"b', "back\\slash", "two\nlines", "Österreich"];
    for (const country of countries) metrics.newProxyAddress(country, "open", "badge");
    const [family] = readExposition(await metrics.exposition(UPSTREAM));
    expect(family?.samples.map(({ labels }) => labels["cc"]).toSorted()).toEqual(
      countries.toSorted(),
    );
  });
});

describe("our own families", () => {
  test("are there before anything happens, every outcome and reason at 0", async () => {
    using metrics = new TestMetrics();
    const families = readExposition(await metrics.exposition());
    const sizes = Object.fromEntries(families.map(({ name, samples }) => [name, samples.length]));
    expect(sizes).toMatchObject({
      snowflake_matches_in_flight: 1,
      snowflake_poll_interval_seconds: 3,
      snowflake_waiting_clients: 1,
      snowflake_rounded_policy_acts_total: 11,
      snowflake_rounded_client_poll_outcomes_total: 6 * 3,
      snowflake_rounded_offer_to_answer_seconds: 13 + 3,
      snowflake_rounded_poll_to_offer_seconds: 3 * 19,
      snowflake_rounded_proxy_answer_outcomes_total: 2,
      snowflake_rounded_proxy_poll_outcomes_total: 9 * 6,
      snowflake_rounded_refused_messages_total: 23,
      snowflake_waiting_proxies: 3 * 6,
    });
    for (const { name, samples } of families) {
      if (name.includes("_rounded_")) expect(samples.every(({ value }) => value === 0)).toBe(true);
    }
  });

  test("show how busy the broker is at the moment of the scrape", async () => {
    let load = IDLE;
    using metrics = new TestMetrics(() => load);
    const waitingByPoolAndType = {
      open: { ...NOBODY, badge: 3 },
      moderate: NOBODY,
      strict: { ...NOBODY, webext: 5 },
    };
    const busy = { ...IDLE, waitingByPoolAndType, matchesInFlight: 7, waitingClients: 2 };
    expect(await metrics.changes(() => (load = busy))).toEqual({
      'waiting_proxies{pool="open",type="badge"}': 3,
      'waiting_proxies{pool="strict",type="webext"}': 5,
      matches_in_flight: 7,
      waiting_clients: 2,
    });
    expect(await metrics.changes(() => (load = IDLE))).toEqual({
      'waiting_proxies{pool="open",type="badge"}': 0,
      'waiting_proxies{pool="strict",type="webext"}': 0,
      matches_in_flight: 0,
      waiting_clients: 0,
    });
  });

  test("can be told apart by what an answer and a refused message were", async () => {
    using metrics = new TestMetrics();
    const changed = await metrics.changes(() => {
      metrics.answerEnded("webext");
      metrics.refused("proxy", "too-long");
      metrics.pollReceived("moderate", "bloco", true);
      metrics.pollReceived("moderate", "bloco", false);
    });
    expect(changed).toEqual({
      'rounded_proxy_answer_total{status="success",type="webext"}': 8,
      'rounded_proxy_answer_outcomes_total{outcome="delivered"}': 8,
      'rounded_refused_messages_total{reason="too-long",route="proxy"}': 8,
      'rounded_proxy_poll_with_relay_url_extension_total{nat="moderate",type="bloco"}': 8,
      'rounded_proxy_poll_without_relay_url_extension_total{nat="moderate",type="bloco"}': 8,
    });
  });
});

describe("the process", () => {
  test("tells of its memory, files, CPU time, start and versions", async () => {
    using metrics = new TestMetrics();
    const before = await metrics.series();
    const files = Array.from({ length: 50 }, () => openSync("/dev/null", "r"));
    const after = await metrics.series();
    for (const file of files) closeSync(file);
    const value = (name: string) => after.get(name) ?? Number.NaN;
    // The test runner may open or close some of its own meanwhile.
    const opened = value("process_open_fds") - (before.get("process_open_fds") ?? Number.NaN);
    expect(opened).toBeWithin(45, 55);
    expect(value("process_max_fds")).toBeGreaterThan(value("process_open_fds"));
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(10e6);
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
    const uptime = Date.now() / 1000 - value("process_start_time_seconds");
    expect(Math.abs(uptime - process.uptime())).toBeLessThan(5);
    expect(after.get(`build_info{bun_version="${Bun.version}",version="1.2.3"}`)).toBe(1);
  });

  test("shows nothing for a reading that fails, until it succeeds again", async () => {
    using metrics = new TestMetrics();
    const name = "process_resident_memory_bytes";
    const rss = spyOn(process.memoryUsage, "rss").mockImplementationOnce(() => {
      throw new Error("no descriptor left");
    });
    const series = [await metrics.series(), await metrics.series()];
    rss.mockRestore();
    expect(series.map((all) => all.has(name))).toEqual([false, true]);
    expect(series[0]?.has("process_open_fds")).toBe(true);
  });

  test("tells how late its event loop is since the last scrape, until it is closed", async () => {
    using metrics = new TestMetrics();
    /** Keeps the loop busy for 150 ms until the scrape after that tells of it, or has failed to often enough. */
    const lagWhenBusy = async () => {
      let lag = 0;
      for (let tries = 0; tries < 10 && lag === 0; tries++) {
        await metrics.series();
        metrics.connections.worked();
        const end = performance.now() + 150;
        while (performance.now() < end);
        await Bun.sleep(0);
        lag = (await metrics.series()).get("event_loop_lag_max_seconds") ?? Number.NaN;
      }
      return lag;
    };
    expect(await lagWhenBusy()).toBeWithin(0.03, 1);
    metrics.close();
    expect(await lagWhenBusy()).toBe(0);
  });
});

test("a scrape of thousands of series takes a few ms", async () => {
  using metrics = new TestMetrics();
  for (let n = 0; n < 250; n++) {
    for (const natType of NAT_TYPES) metrics.clientEnded(`${n}`, natType, "http", "denied", 0);
  }
  const lines = (await metrics.exposition()).split("\n").length;
  expect(lines).toBeGreaterThan(1500);
  const durations: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await metrics.exposition();
    durations.push(performance.now() - started);
  }
  // The least is what it takes; the others are what else the machine did.
  expect(Math.min(...durations)).toBeLessThan(100);
});

test("two scrapes at once give the same", async () => {
  using metrics = new TestMetrics();
  playVector(metrics);
  const [one, other] = await Promise.all([
    metrics.exposition(UPSTREAM),
    metrics.exposition(UPSTREAM),
  ]);
  expect(one).toBe(vector.text);
  expect(other).toBe(vector.text);
});
