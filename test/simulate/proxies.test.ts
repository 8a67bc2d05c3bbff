/** When simulated proxies poll: the rules of the deployed ones, against the real broker. */

import { describe, expect, test } from "bun:test";

import { REFERENCE_POLICY } from "../../src/broker/policy/matching-policy.ts";
import { Ticker } from "../../src/simulate/peers/go-proxy.ts";
import { Stage } from "./stage.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const everySecond = { pollIntervals: { open: 1_000, moderate: 1_000, strict: 1_000 } };
const longWait = { policy: { ...REFERENCE_POLICY, proxyDeadline: 25_000, proxyWait: 25_000 } };

describe("Go's ticker", () => {
  test("keeps one tick that nobody took, and loses the others", () => {
    const ticker = new Ticker(100, 50);
    expect(ticker.take(100)).toBe(150);
    expect(ticker.take(360)).toBe(360);
    expect(ticker.take(361)).toBe(400);
    expect(ticker.take(400)).toBe(450);
  });

  test("forgets a tick when it is reset", () => {
    const ticker = new Ticker(0, 50);
    ticker.reset(120, 30);
    expect(ticker.take(120)).toBe(150);
  });
});

describe("the newest Go proxy", () => {
  test("comes back when it is told to", () => {
    const stage = new Stage();
    stage.proxy("newest");
    stage.clock.advance(70 * SECOND);
    expect(stage.polls.map(({ end }) => end)).toEqual(["idle", "idle", "idle", undefined]);
    for (const pause of stage.pauses) expect(pause).toBeWithin(20, 20.3);
  });

  test("waits for 5 s where the broker names no time, and never polls within 1 s of a response", () => {
    const idle = new Stage(everySecond);
    idle.proxy("newest");
    idle.clock.advance(40 * SECOND);
    // 10 s of waiting are longer than the interval, so NextPoll is 0.
    for (const pause of idle.pauses) expect(pause).toBeWithin(15, 15.3);

    const busy = new Stage(everySecond);
    busy.proxy("newest");
    busy.clock.advance(500);
    busy.person();
    busy.clock.advance(10 * SECOND);
    expect(busy.polls[0]?.end).toBe("matched");
    expect(busy.pauses[0]).toBeWithin(1.5, 1.8);
  });

  test("polls on while a match connects", () => {
    const stage = new Stage(everySecond);
    stage.proxy("newest", { useless: true });
    stage.clock.advance(500);
    stage.person();
    stage.clock.advance(8 * SECOND);
    expect(stage.polls.length).toBe(2);
    expect(stage.tally.times).toEqual([]);
  });
});

describe("an older Go proxy", () => {
  test("polls at each tick of 5 s, whatever it is told", () => {
    const stage = new Stage();
    stage.proxy("older");
    stage.clock.advance(19 * SECOND);
    // The tick at 10 s was kept while the poll waited.
    expect(stage.polls.map(({ end }) => end)).toEqual(["idle", "too-soon", "too-soon"]);
    expect(stage.polls.map(({ at }) => Math.round(at / SECOND))).toEqual([0, 10, 15]);
  });

  test("does not poll while a match connects", () => {
    const stage = new Stage(everySecond);
    stage.proxy("older", { useless: true });
    stage.clock.advance(500);
    stage.person({ patience: 8 * SECOND });
    stage.clock.advance(20 * SECOND);
    expect(stage.polls.length).toBe(1);
    // The channel is given up 20 s after the answer, and a tick is kept.
    stage.clock.advance(5 * SECOND);
    expect(stage.polls.length).toBe(2);
    expect(stage.pauses[0]).toBeWithin(20.8, 25);
  });
});

describe("any Go proxy", () => {
  test("takes no more clients than it has room for, and polls again when one leaves", () => {
    const stage = new Stage(everySecond);
    stage.proxy("newest", { capacity: 1 });
    stage.clock.advance(500);
    stage.person({ stay: 5 * MINUTE });
    stage.clock.advance(4 * MINUTE);
    expect(stage.polls.length).toBe(1);
    stage.clock.advance(2 * MINUTE);
    expect(stage.polls.length).toBeGreaterThan(1);
    expect(stage.pauses[0]).toBeWithin(300, 310);
  });

  test("says how many clients it has in steps of 8, with its own poll", () => {
    const stage = new Stage(everySecond);
    stage.proxy("newest");
    for (let i = 0; i < 8; i++) {
      stage.clock.advance(4 * SECOND);
      stage.person();
      stage.clock.advance(4 * SECOND);
    }
    expect(stage.polls.map(({ clients }) => clients)).toEqual([0, 0, 0, 0, 0, 0, 0, 8]);
  });

  test("gives up a poll whose connection has died after 30 s", () => {
    const stage = new Stage(everySecond);
    stage.proxy("newest", { death: 1 });
    stage.clock.advance(500);
    stage.person({ patience: 8 * SECOND });
    stage.clock.advance(40 * SECOND);
    expect(stage.tally.timeouts).toBe(1);
    expect(stage.pauses[0]).toBeWithin(30, 35.1);
  });

  test("that is silent costs its client the whole deadline", () => {
    const stage = new Stage();
    stage.proxy("newest", { silence: 1 });
    stage.clock.advance(500);
    stage.person({ patience: 8 * SECOND });
    stage.clock.advance(7 * SECOND);
    expect(stage.offers.map(({ end }) => end)).toEqual(["timed-out"]);
  });
});

describe("the browser's proxy", () => {
  const strict = { nat: "restricted" as const, open: false };
  const patience = 8 * SECOND;

  test("polls every minute, and a poll without a client changes nothing", () => {
    const stage = new Stage();
    stage.proxy("browser", strict);
    stage.clock.advance(4.5 * MINUTE);
    expect(stage.pauses.map(Math.round)).toEqual([60, 60, 60, 60]);
  });

  test("comes back 100 s later after a match without a channel, up to 6 h, and 100 s sooner after one with", () => {
    const stage = new Stage();
    stage.proxy("browser", strict);
    stage.clock.advance(SECOND);
    stage.person({ country: "de", patience });
    stage.clock.advance(61 * SECOND);
    stage.person({ stay: MINUTE });
    stage.clock.advance(5 * MINUTE);
    expect(stage.tally.times.length).toBe(1);
    // Its timer is set when a poll begins: each change counts from the next timer on.
    expect(stage.pauses.map(Math.round)).toEqual([60, 160, 60, 60]);

    const useless = new Stage();
    useless.proxy("browser", { ...strict, useless: true });
    useless.person();
    useless.clock.advance(60 * 24 * 60 * MINUTE);
    expect(Math.round(Math.max(...useless.pauses))).toBe(6 * 3600);
  });

  test("leaves out polls while it has a client", () => {
    const stage = new Stage();
    stage.proxy("browser", strict);
    stage.clock.advance(SECOND);
    stage.person({ stay: 10 * MINUTE });
    stage.clock.advance(10 * MINUTE);
    expect(stage.polls.length).toBe(1);
    stage.clock.advance(1.5 * MINUTE);
    expect(stage.polls.length).toBe(2);
  });

  test("polls every 30 s and takes two clients once it is open and had success", () => {
    const stage = new Stage();
    stage.proxy("browser");
    stage.clock.advance(SECOND);
    stage.person();
    stage.clock.advance(2.2 * MINUTE);
    expect(stage.pauses.map(Math.round)).toEqual([60, 30, 30]);
    stage.person();
    stage.clock.advance(10 * MINUTE);
    expect(stage.tally.times.length).toBe(2);
    expect(stage.pauses.map(Math.round)).toEqual([60, 30, 30, 30]);
  });

  test("takes its NAT to be restricted after three failures with clients that are, for two days", () => {
    const stage = new Stage();
    stage.proxy("browser", { useless: true });
    stage.clock.advance(SECOND);
    for (let i = 0; i < 3; i++) stage.person({ open: false, patience: 20 * MINUTE });
    stage.clock.advance(30 * MINUTE);
    const nats = stage.polls.map(({ nat }) => nat);
    expect(nats.slice(0, 5)).toEqual([
      ...Array(3).fill("unrestricted"),
      ...Array(2).fill("restricted"),
    ]);
    stage.clock.advance(48 * 60 * MINUTE);
    expect(stage.polls.at(-1)?.nat).toBe("unrestricted");
  });
});

test("polls wait as long as the policy says", () => {
  const stage = new Stage(longWait);
  stage.proxy("newest");
  stage.clock.advance(24 * SECOND);
  expect(stage.polls.map(({ end }) => end)).toEqual([undefined]);
  stage.clock.advance(8 * SECOND);
  expect(stage.pauses[0]).toBeWithin(30, 30.3);
});
