import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Address } from "../../src/messages/address.ts";
import { NAT_TYPES } from "../../src/messages/nat-type.ts";
import { writeDescription } from "../../src/messages/session-description.ts";
import { settle, TestBroker } from "../kit/test-broker.ts";

describe("a poll that waited at a broker that is no more", () => {
  test.each([
    [0, 10_000],
    [1, 9_000],
    [1_000, 9_000],
    [6_001, 3_000],
    [9_000, 1_000],
  ])("for %d ms waits for another %d", async (waited, left) => {
    const t = new TestBroker();
    const poll = t.poll("p", { waited });
    t.clock.advance(left - 1);
    await settle();
    expect(poll.outcome).toBeUndefined();
    t.clock.advance(1);
    await settle();
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 - waited - left });
    expect(t.events.words).toEqual(["p admitted", `p idle after ${waited + left}`]);
    expect(t.broker.load.waitingProxies).toBe(0);
  });

  test.each([9_001, 10_000])("for %d ms goes home at once", async (waited) => {
    const t = new TestBroker();
    const poll = t.poll("p", { waited });
    t.clock.advance(0);
    await settle();
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 - waited });
  });

  test("is matched like any other, and its wait is counted from its beginning", async () => {
    const t = new TestBroker();
    const poll = t.poll("p", { waited: 4000 });
    t.clock.advance(500);
    const offer = t.offer("o");
    await settle();
    expect(poll.outcome).toMatchObject({ kind: "matched", nextPoll: 15_500 });
    expect(await t.answer("p", "a")).toBe("delivered");
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("a") });
    expect(t.events.words).toContain("p matched after 4500");
  });

  test("is not held to its interval, but the next of its address is, by when this one came", async () => {
    const t = new TestBroker();
    const address = new Address("198.51.100.1");
    t.poll("1", { address });
    const again = t.poll("2", { address, waited: 3000 });
    await settle();
    expect(again.outcome).toBeUndefined();
    const next = t.poll("3", { address });
    await settle();
    expect(next.outcome).toEqual({ kind: "too-soon", nextPoll: 17_000 });
  });

  test("is turned away for its pattern, or for want of room, like any other", async () => {
    const limits = { waitingProxies: 1, clients: 1, rateLimitEntries: 10 };
    const t = new TestBroker({ limits });
    const wrong = t.poll("wrong", { waited: 2000, relayPattern: null });
    t.poll("1", { waited: 2000 });
    const second = t.poll("2", { waited: 2000 });
    await settle();
    expect(wrong.outcome?.kind).toBe("pattern-rejected");
    expect(second.outcome).toEqual({ kind: "idle", nextPoll: 18_000 });
    expect(t.events.words).toContain("2 full after 2000");
  });

  test("goes home when the broker drains", async () => {
    const t = new TestBroker();
    const polls = [t.poll("1"), t.poll("2", { waited: 500 }), t.poll("3", { waited: 9500 })];
    await t.broker.drain();
    await settle();
    expect(polls.map((poll) => poll.outcome?.kind)).toEqual(["idle", "idle", "idle"]);
  });
});

test("whatever they had waited, all go home in time and the invariants hold", async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant("poll" as const),
      nat: fc.constantFrom(...NAT_TYPES),
      waited: fc.option(fc.nat(10_000), { nil: undefined }),
    }),
    fc.record({ do: fc.constant("offer" as const) }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.nat(3000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const t = new TestBroker();
      const polls: { readonly end: number; readonly poll: ReturnType<TestBroker["poll"]> }[] = [];
      for (const [i, next] of steps.entries()) {
        if (next.do === "poll") {
          const { nat, waited } = next;
          const end = t.clock.now() + 10_000 - (waited ?? 0);
          polls.push({ end, poll: t.poll(`p${i}`, { nat, waited }) });
        } else if (next.do === "offer") t.offer(`o${i}`);
        else t.clock.advance(next.ms);
        await settle();
        expect(t.broker.consistencyCheck()).toEqual([]);
        const late = polls.filter(
          ({ end, poll }) => end < t.clock.now() && poll.outcome === undefined,
        );
        expect(late).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});
