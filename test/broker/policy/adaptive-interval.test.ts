import { describe, expect, test } from "bun:test";

import { AdaptiveInterval } from "../../../src/broker/policy/adaptive-interval.ts";
import { REACH_POLICY, REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { Address } from "../../../src/messages/address.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";
import { Crowd } from "./crowd.ts";

const ADAPTIVE = {
  ...REFERENCE_POLICY,
  leastNextPoll: 1_000,
  adaptiveInterval: { least: 1_000, most: 60_000 },
};

/** The interval after so many have waited for twenty minutes. */
function settledInterval(waiting: number, base = 20_000, reserve = 100): number {
  const interval = new AdaptiveInterval(ADAPTIVE.adaptiveInterval);
  let inForce = 0;
  for (let now = 0; now <= 1_200_000; now += 1_000) {
    inForce = interval.inForce(base, waiting, reserve, now);
  }
  return Math.round(inForce);
}

describe("the interval", () => {
  test.each([
    [0, 1_000],
    [50, 10_500],
    [99, 19_810],
    [100, 20_000],
    [200, 30_000],
    [400, 50_000],
    [500, 60_000],
    [9_000, 60_000],
  ])("while %d wait of 100 that should is %d ms", (waiting, expected) => {
    expect(settledInterval(waiting)).toBe(expected);
  });

  test("is the configured one where that is beyond the bounds", () => {
    expect(settledInterval(0, 500)).toBe(500);
    expect(settledInterval(9_000, 90_000)).toBe(90_000);
    expect(settledInterval(0, 0)).toBe(0);
  });

  test("is short at once when nobody waits any more", () => {
    const interval = new AdaptiveInterval(ADAPTIVE.adaptiveInterval);
    for (let now = 0; now < 600_000; now += 1_000) interval.inForce(20_000, 1_000, 100, now);
    expect(interval.inForce(20_000, 0, 100, 600_000)).toBe(1_000);
  });

  test("is spread evenly around itself", () => {
    const interval = new AdaptiveInterval(ADAPTIVE.adaptiveInterval);
    const told = Array.from({ length: 1_000 }, () => interval.spread(10_000)).toSorted(
      (one, other) => one - other,
    );
    expect(told[0]).toBeWithin(7_500, 7_520);
    expect(told.at(-1)).toBeWithin(12_480, 12_501);
    for (let i = 1; i < told.length; i++) {
      expect((told[i] ?? Infinity) - (told[i - 1] ?? 0)).toBeLessThan(20);
    }
  });
});

describe("an address", () => {
  test("may come when it was told, though the interval has grown meanwhile", async () => {
    const t = new TestBroker({ policy: ADAPTIVE });
    const address = new Address("198.51.100.1");
    const first = t.poll("1", { address });
    t.offer("o");
    await settle();
    const { nextPoll = 0 } = first.outcome ?? {};
    expect(nextPoll).toBeWithin(1_000, 1_251);
    for (let n = 0; n < 200; n++) t.poll(`other ${n}`);
    expect(t.broker.intervalsInForce().open).toBeGreaterThan(19_000);
    t.clock.advance(nextPoll);
    t.poll("2", { address });
    expect(t.events.count("too-soon")).toBe(0);
  });

  test("may come by the interval of the moment, though it was told a longer one", async () => {
    const t = new TestBroker({ policy: ADAPTIVE });
    const others = Array.from({ length: 40 }, (_, n) => t.poll(`other ${n}`));
    const address = new Address("198.51.100.1");
    const first = t.poll("1", { address, clients: 9 });
    t.clock.advance(5_000);
    t.poll("2", { address });
    expect(t.events.count("2 too-soon")).toBe(1);
    for (const other of others) other.hangUp();
    t.offer("o");
    await settle();
    expect(first.outcome?.nextPoll).toBeGreaterThan(9_000);
    t.poll("3", { address });
    expect(t.events.count("3 too-soon")).toBe(0);
  });
});

test("a proxy that heeds nothing may come by the configured interval, however long others are told to wait", () => {
  const t = new TestBroker({ policy: ADAPTIVE });
  const address = new Address("198.51.100.1");
  for (let minute = 0; minute < 20; minute++) {
    for (let n = 0; n < 300; n++) t.poll(`other ${minute} ${n}`);
    t.clock.advance(5_000);
  }
  expect(t.broker.intervalsInForce().open).toBe(60_000);
  for (let n = 0; n < 3; n++) {
    t.poll(`deaf ${n}`, { address });
    t.clock.advance(20_001);
  }
  expect(t.events.count("too-soon")).toBe(0);
});

test("configured intervals stay what the reference makes of them", async () => {
  const t = new TestBroker({ policy: { ...REACH_POLICY, adaptiveInterval: undefined } });
  const poll = t.poll("1");
  t.offer("o");
  await settle();
  expect(poll.outcome?.nextPoll).toBe(20_001);
});

/** What one number in time did in its last part: how far it went from its mean, as a share of it. */
function swing(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.max(...values.map((value) => Math.abs(value - mean))) / mean;
}

/** 180 proxies that obey, while the rate of clients jumps; the interval after each second. */
async function steps(...rates: readonly number[]) {
  const crowd = new Crowd({ policy: REACH_POLICY });
  crowd.addProxies(180, { answersAfter: 500 });
  const intervals: number[][] = [];
  for (const rate of rates) {
    const ofRate: number[] = [];
    intervals.push(ofRate);
    await crowd.pass(600, rate, () => ofRate.push(crowd.t.broker.intervalsInForce().open));
  }
  return { crowd, intervals };
}

describe("a step of demand", () => {
  test("up and down is followed, without oscillation and without a denial", async () => {
    const { crowd, intervals } = await steps(0.2, 12, 0.2);
    const lastOf = intervals.map((ofRate) => ofRate.slice(-240));
    for (const last of lastOf) expect(swing(last)).toBeLessThan(0.35);
    const [low = 0, high = 0, lowAgain = 0] = lastOf.map(
      (last) => last.reduce((sum, value) => sum + value, 0) / last.length,
    );
    expect(high).toBeLessThan(12_000);
    expect(low).toBeGreaterThan(20_000);
    expect(lowAgain).toBeGreaterThan(20_000);
    expect(crowd.counts.denied).toBe(0);
    expect(crowd.counts.tooSoon).toBe(0);
    expect(crowd.counts.answered).toBeGreaterThanOrEqual(crowd.counts.offers - 10);
  });

  test("costs no more than twice the polls of the reference", async () => {
    const polls = async (policy: typeof REACH_POLICY) => {
      const crowd = new Crowd({ policy });
      crowd.addProxies(180, { answersAfter: 500 });
      for (const rate of [0.2, 12]) await crowd.pass(300, rate);
      return crowd.counts.polls - crowd.counts.tooSoon;
    };
    expect(await polls(REACH_POLICY)).toBeLessThan(2 * (await polls(REFERENCE_POLICY)));
  });

  test("after a restart, proxies that all came within 20 s wait in even numbers", async () => {
    const crowd = new Crowd({ policy: REACH_POLICY });
    crowd.addProxies(1_000, { answersAfter: 500 });
    await crowd.pass(240, 0.2);
    const waiting: number[] = [];
    await crowd.pass(240, 0.2, () => waiting.push(crowd.t.broker.load.waitingProxies));
    expect(swing(waiting)).toBeLessThan(0.35);
  });
});
