import { describe, expect, test } from "bun:test";

import { MOST_HELD_CHARACTERS } from "../../../src/broker/local-broker.ts";
import { REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { descriptionText, writeDescription } from "../../../src/messages/session-description.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

const policy = { ...REFERENCE_POLICY, clientWait: 3_000, maxWaitingClients: 10 };

describe("a client that finds no proxy", () => {
  test("gets the one that comes, and an answer within the 5 s of its offer", async () => {
    const t = new TestBroker({ policy });
    const offer = t.offer("the offer", { nat: "restricted" });
    t.clock.advance(2_000);
    expect(t.broker.waitingClients).toBe(1);
    const poll = t.poll("p");
    await settle();
    expect(poll.outcome).toMatchObject({
      kind: "matched",
      offer: writeDescription("the offer"),
      clientNat: "restricted",
      relayUrl: "wss://snowflake.torproject.net/",
      nextPoll: 20_000,
    });
    expect(t.broker.consistencyCheck()).toEqual([]);
    t.clock.advance(2_999);
    expect(await t.answer("p", "a")).toBe("delivered");
    await settle();
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("a") });
    expect(t.events.words).toEqual([
      "client-waits",
      "p received",
      "p admitted",
      "p matched after 0",
      "client-served",
      "the offer answered after 4999",
      "answer of standalone",
    ]);
  });

  test("is denied after 3 s", async () => {
    const t = new TestBroker({ policy });
    const offer = t.offer("o");
    t.clock.advance(2_999);
    await settle();
    expect(offer.outcome).toBeUndefined();
    t.clock.advance(1);
    await settle();
    expect(offer.outcome).toEqual({ kind: "denied" });
    expect(t.broker.load.clients).toBe(0);
    expect(t.events.words).toEqual(["client-waits", "o denied after 3000"]);
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test("times out 5 s after its offer, however late its proxy came", async () => {
    const t = new TestBroker({ policy });
    const offer = t.offer("o");
    t.clock.advance(2_900);
    t.poll("p");
    t.clock.advance(2_099);
    await settle();
    expect(offer.outcome).toBeUndefined();
    t.clock.advance(1);
    await settle();
    expect(offer.outcome).toEqual({ kind: "timed-out" });
    expect(await t.answer("p", "a")).toBe("client-gone");
  });

  test("leaves at once when it hangs up, so that the next proxy waits", async () => {
    const t = new TestBroker({ policy });
    t.offer("gone").hangUp();
    const poll = t.poll("p");
    await settle();
    expect(poll.outcome).toBeUndefined();
    expect(t.broker.load).toEqual({ waitingProxies: 1, clients: 0 });
    expect(t.events.words).toContain("gone abandoned after 0");
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test("takes nothing from a proxy that may not wait itself", async () => {
    const t = new TestBroker({ policy });
    t.offer("o");
    const rejected = t.poll("wrong", { relayPattern: null });
    t.poll("p", { address: undefined });
    t.offer("o2");
    const tooSoon = t.poll("p2", { address: undefined });
    await settle();
    expect([rejected.outcome?.kind, tooSoon.outcome?.kind]).toEqual([
      "pattern-rejected",
      "too-soon",
    ]);
    expect(t.broker.waitingClients).toBe(1);
  });
});

describe("of several that wait", () => {
  /** The offers that proxies of these NAT types are given, in the order in which they come. */
  async function served(t: TestBroker, ...nats: readonly ("open" | "moderate" | "strict")[]) {
    const offers: string[] = [];
    for (const nat of nats) {
      const poll = t.poll(`p${offers.length}`, { nat });
      await settle();
      const { outcome } = poll;
      offers.push(outcome?.kind === "matched" ? descriptionText(outcome.offer) : "none");
      expect(t.broker.consistencyCheck()).toEqual([]);
    }
    return offers;
  }

  test("the first to come is served first", async () => {
    const t = new TestBroker({ policy });
    for (const name of ["1", "2", "3"]) t.offer(name);
    expect(await served(t, "open", "open", "open", "open")).toEqual(["1", "2", "3", "none"]);
  });

  test("those that can use only open proxies go first at an open proxy", async () => {
    const t = new TestBroker({ policy });
    t.offer("any", { nat: "unrestricted" });
    t.offer("moderate", { nat: "moderate" });
    t.offer("restricted", { nat: "restricted" });
    t.offer("unknown", { nat: "unknown" });
    expect(await served(t, "open", "open", "open", "open")).toEqual([
      "restricted",
      "unknown",
      "moderate",
      "any",
    ]);
  });

  test("a proxy serves only those that can reach it", async () => {
    const t = new TestBroker({ policy });
    t.offer("restricted", { nat: "restricted" });
    t.offer("moderate", { nat: "moderate" });
    t.offer("any", { nat: "open" });
    expect(await served(t, "strict", "strict", "moderate", "moderate", "open")).toEqual([
      "any",
      "none",
      "moderate",
      "none",
      "restricted",
    ]);
  });
});

describe("the waiting room is bounded", () => {
  test("in number", async () => {
    const t = new TestBroker({ policy });
    for (let n = 0; n < 10; n++) t.offer(`o${n}`);
    const beyond = t.offer("beyond");
    await settle();
    expect(beyond.outcome).toEqual({ kind: "denied" });
    expect(t.broker.waitingClients).toBe(10);
    t.poll("p");
    t.offer("next");
    expect(t.broker.waitingClients).toBe(10);
  });

  test("with all other clients, in number and in the length of their offers", async () => {
    const t = new TestBroker({
      policy,
      limits: { waitingProxies: 10, clients: 2, rateLimitEntries: 10 },
    });
    t.offer("1");
    t.offer("2");
    const third = t.offer("3");
    await settle();
    expect(third.outcome).toEqual({ kind: "denied" });

    const long = new TestBroker({ policy });
    long.offer("o".repeat(MOST_HELD_CHARACTERS - 2)); // and its quotes
    const beyond = long.offer("o");
    await settle();
    expect(beyond.outcome).toEqual({ kind: "denied" });
    long.clock.advance(3_000);
    long.offer("o");
    expect(long.broker.waitingClients).toBe(1);
  });
});

describe("draining", () => {
  test("denies those that wait, at once and in time for the last match", async () => {
    const t = new TestBroker({ policy });
    t.poll("p");
    t.offer("matched");
    const waiting = t.offer("waiting");
    let isDrained = false;
    const drained = t.broker.drain().then(() => (isDrained = true));
    const late = t.offer("late");
    await settle();
    expect([waiting.outcome, late.outcome]).toEqual([{ kind: "denied" }, { kind: "denied" }]);
    expect(isDrained).toBe(false);
    await t.answer("p", "a");
    await drained;
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test("ends when only clients without a proxy were there", async () => {
    const t = new TestBroker({ policy: { ...policy, maxWaitingClients: 1_000 } });
    for (let n = 0; n < 600; n++) t.offer(`o${n}`);
    const drained = t.broker.drain();
    t.clock.advance(0);
    await drained;
    expect(t.broker.load.clients).toBe(0);
  });
});
