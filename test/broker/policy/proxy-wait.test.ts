import { describe, expect, test } from "bun:test";

import { REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

const policy = { ...REFERENCE_POLICY, proxyWait: 25_000, leastNextPoll: 1_000 };

describe("a poll of a scarce pool", () => {
  test("waits for 25 s, and its proxy may come back at once", async () => {
    const t = new TestBroker({ policy });
    const poll = t.poll("p");
    t.clock.advance(24_999);
    await settle();
    expect(poll.outcome).toBeUndefined();
    expect(t.broker.consistencyCheck()).toEqual([]);
    t.clock.advance(1);
    await settle();
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 1_000 });
    expect(t.events.words).toEqual(["p received", "p admitted", "poll-kept", "p idle after 25000"]);
    expect(t.clock.timers).toBe(0);
  });

  test("gets the client that comes at its end", async () => {
    const t = new TestBroker({ policy });
    const poll = t.poll("p");
    t.clock.advance(24_999);
    const offer = t.offer("o");
    await settle();
    expect(poll.outcome).toMatchObject({ kind: "matched", nextPoll: 1_000 });
    expect(await t.answer("p", "a")).toBe("delivered");
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("a") });
  });

  test("leaves when its proxy hangs up, when it polls again and when the broker drains", async () => {
    const t = new TestBroker({ policy });
    const polls = ["1", "2", "3"].map((sid) => t.poll(sid));
    t.clock.advance(12_000);
    polls[0]?.hangUp();
    t.poll("2", { nat: "strict" });
    await t.broker.drain();
    await settle();
    expect(t.broker.load.waitingProxies).toBe(0);
    for (const end of ["1 withdrawn", "2 superseded", "3 draining"]) {
      expect(t.events.count(`${end} after 12000`)).toBe(1);
    }
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test.each([
    [3_000, 22_000],
    [9_500, 15_000],
    [10_000, 15_000],
    [12_001, 12_000],
    [24_500, 0],
  ])("that had waited for %d ms elsewhere waits for another %d", async (waited, left) => {
    const t = new TestBroker({ policy });
    const poll = t.poll("p", { waited });
    t.clock.advance(left - 1);
    await settle();
    if (left > 0) expect(poll.outcome).toBeUndefined();
    expect(t.broker.consistencyCheck()).toEqual([]);
    t.clock.advance(1);
    await settle();
    expect(poll.outcome?.kind).toBe("idle");
  });

  test("that has waited longer elsewhere than it may here goes home", async () => {
    const t = new TestBroker({ policy });
    const poll = t.poll("p", { waited: 25_001 });
    await settle();
    expect(poll.outcome?.kind).toBe("idle");
    expect(t.broker.load.waitingProxies).toBe(0);
  });
});

describe("a pool in surplus", () => {
  test("sends polls home after 10 s until it has its reserve", async () => {
    const t = new TestBroker({ policy });
    const polls = Array.from({ length: 100 }, (_, n) => t.poll(`p${n}`));
    t.clock.advance(10_000);
    await settle();
    expect(polls.filter(({ outcome }) => outcome?.kind === "idle")).toHaveLength(68);
    expect(t.broker.load.waitingProxies).toBe(32);
    t.clock.advance(15_000);
    await settle();
    expect(t.broker.load.waitingProxies).toBe(0);
  });

  test("is one only as long as few clients come", async () => {
    const t = new TestBroker({ policy });
    for (let n = 0; n < 100; n++) t.offer(`o${n}`);
    for (let n = 0; n < 60; n++) t.poll(`p${n}`);
    t.clock.advance(10_000);
    expect(t.broker.load.waitingProxies).toBe(60);
  });

  test("says nothing of another pool", async () => {
    const t = new TestBroker({ policy });
    for (let n = 0; n < 100; n++) t.poll(`p${n}`, { nat: "strict" });
    t.poll("open");
    t.clock.advance(10_000);
    expect(t.events.count("open idle")).toBe(0);
    expect(t.broker.load.waitingProxies).toBe(33);
  });
});
