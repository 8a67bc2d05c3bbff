/** What the matchmaker asks of other brokers, and does with what they say. */

import { describe, expect, test } from "bun:test";

import type { Client } from "../../src/broker/client.ts";
import type { Elsewhere } from "../../src/broker/elsewhere.ts";
import { REACH_POLICY, REFERENCE_POLICY } from "../../src/broker/policy/matching-policy.ts";
import { descriptionText, writeDescription } from "../../src/messages/session-description.ts";
import { settle, TestBroker } from "../kit/test-broker.ts";
import { anOffer } from "../link/socket/linked.ts";

/** With a waiting time of 3 s. */
const REACH = { ...REACH_POLICY, clientWait: 3_000 };

/** Asks another broker for every client, which says what the test says. */
function joined(policy = REACH) {
  const t = new TestBroker({ policy });
  const asked: Client[] = [];
  const ended: Client[] = [];
  const elsewhere: Elsewhere = {
    seek(client) {
      asked.push(client);
      client.ticket = asked.length;
      t.broker.askedElsewhere(client);
      return true;
    },
    seekSecond: (client) => void asked.push(client),
    ended: (client) => void ended.push(client),
    proxyWaits() {},
    answer: () => Promise.resolve(undefined),
  };
  t.broker.join(elsewhere);
  const client = (index: number): Client => {
    const found = asked[index];
    if (found === undefined) throw new Error(`there is no client ${index}`);
    return found;
  };
  return { t, broker: t.broker, asked, ended, client };
}

describe("a client that another broker is asked for", () => {
  test("gets no proxy here meanwhile, and the one that waits here if the reply is no", async () => {
    const { t, broker, client } = joined();
    const offer = t.offer("o");
    const poll = t.poll("p");
    await settle();
    expect(poll.outcome).toBeUndefined();
    expect(broker.consistencyCheck()).toEqual([]);
    broker.nobodyElsewhere(client(0));
    await settle();
    expect(poll.outcome?.kind).toBe("matched");
    expect(await t.answer("p", "a")).toBe("delivered");
    await settle();
    expect(offer.outcome?.kind).toBe("answered");
  });

  test("waits if the reply is no, 3 s from its offer, and is denied without a waiting room", async () => {
    const reach = joined();
    const waiting = reach.t.offer("o");
    reach.t.clock.advance(400);
    reach.broker.nobodyElsewhere(reach.client(0));
    expect(reach.broker.waitingClients).toBe(1);
    reach.t.clock.advance(2_599);
    await settle();
    expect(waiting.outcome).toBeUndefined();
    reach.t.clock.advance(1);
    await settle();
    expect(waiting.outcome?.kind).toBe("denied");
    expect(reach.ended).toEqual(reach.asked);

    const reference = joined(REFERENCE_POLICY);
    const denied = reference.t.offer("o");
    reference.broker.nobodyElsewhere(reference.client(0));
    await settle();
    expect(denied.outcome?.kind).toBe("denied");
  });

  test("comes back to its place: before those that came after it, and leaves in time", async () => {
    const { t, broker, client } = joined();
    for (const name of ["first", "second", "third"]) {
      t.offer(name);
      t.clock.advance(100);
    }
    for (const index of [2, 0, 1]) broker.nobodyElsewhere(client(index));
    expect(broker.consistencyCheck()).toEqual([]);
    const polls = ["p", "q"].map((sid) => t.poll(sid));
    await settle();
    expect(
      polls.map(({ outcome }) => outcome?.kind === "matched" && descriptionText(outcome.offer)),
    ).toEqual(["first", "second"]);
    t.clock.advance(2_900);
    await settle();
    expect(t.events.count("third denied")).toBe(1);
  });

  test("leaves in time, even if one that came after it was in the waiting room before it", async () => {
    const { t, broker, client } = joined();
    const first = t.offer("first");
    t.clock.advance(100);
    const second = t.offer("second");
    for (const index of [1, 0]) broker.nobodyElsewhere(client(index));
    t.clock.advance(2_900);
    await settle();
    expect([first.outcome?.kind, second.outcome?.kind]).toEqual(["denied", undefined]);
  });

  test("is answered once, by whichever proxy is first", async () => {
    const { t, broker, client, ended } = joined();
    const offer = t.offer("o");
    broker.givenElsewhere(client(0), false);
    expect(broker.consistencyCheck()).toEqual([]);
    expect(broker.answeredElsewhere(client(0), writeDescription("one"))).toBe(true);
    expect(broker.answeredElsewhere(client(0), writeDescription("two"))).toBe(false);
    await settle();
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("one") });
    expect(ended).toEqual([client(0)]);
    expect(broker.load.clients).toBe(0);
  });

  test("gets a second proxy here if that of the other broker is silent", async () => {
    const { t, broker, client } = joined();
    for (let i = 0; i < 40; i++) t.poll(`p${i}`, { nat: "restricted" });
    const offer = t.offer("o", { nat: "restricted" });
    broker.givenElsewhere(client(0), false);
    for (let i = 0; i < 40; i++) t.poll(`open${i}`);
    t.clock.advance(2_000);
    await settle();
    expect(broker.consistencyCheck()).toEqual([]);
    expect(await t.answer("open0", "a")).toBe("delivered");
    await settle();
    expect(offer.outcome?.kind).toBe("answered");
    expect(broker.answeredElsewhere(client(0), writeDescription("late"))).toBe(false);
  });

  test("times out 5 s after its offer, wherever its proxy is", async () => {
    const { t, broker, client } = joined();
    const offer = t.offer("o");
    t.clock.advance(300);
    broker.givenElsewhere(client(0), false);
    t.clock.advance(4_700);
    await settle();
    expect(offer.outcome?.kind).toBe("timed-out");
  });
});

describe("the client of another broker", () => {
  test("gets a proxy, whose answer goes there, once; its outcome is not counted here", async () => {
    const t = new TestBroker();
    const poll = t.poll("p");
    const answers: string[] = [];
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const count = t.broker.serveForeign({
      offer: anOffer("o"),
      relayUrl: "wss://relay.example/",
      pool: "open",
      isSecond: false,
      forward(answer) {
        answers.push(descriptionText(answer));
        return promise;
      },
    });
    expect(count).toBe(0);
    await settle();
    expect(poll.outcome).toMatchObject({ kind: "matched", relayUrl: "wss://relay.example/" });
    const told = t.answer("p", "one");
    expect(await t.answer("p", "two")).toBe("client-gone");
    resolve(true);
    expect(await told).toBe("delivered");
    expect(answers).toEqual(["one"]);
    expect(t.events.words.filter((word) => word.startsWith("o "))).toEqual([]);
    expect(t.events.count("answer of standalone")).toBe(1);
    expect(t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
  });

  test("gets none if there is none, or this broker drains", () => {
    const t = new TestBroker({ policy: REACH_POLICY });
    const foreign = (isSecond: boolean) =>
      t.broker.serveForeign({
        offer: anOffer("o"),
        relayUrl: "wss://relay.example/",
        pool: "open",
        isSecond,
        forward: () => Promise.resolve(true),
      });
    expect(foreign(false)).toBeUndefined();
    t.poll("p");
    t.poll("q");
    expect(foreign(true)).toBe(1);
    void t.broker.drain();
    expect(foreign(false)).toBeUndefined();
  });
});
