import { describe, expect, test } from "bun:test";

import { REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { Address } from "../../../src/messages/address.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

const policy = { ...REFERENCE_POLICY, secondChance: 2_000 };

describe("a proxy that is silent for 2 s", () => {
  test("is not the only one that is asked: the second one's answer counts", async () => {
    const t = new TestBroker({ policy });
    t.poll("first");
    const second = t.poll("second", { clients: 8 });
    const offer = t.offer("o", { nat: "restricted" });
    t.clock.advance(1_999);
    await settle();
    expect(second.outcome).toBeUndefined();
    t.clock.advance(1);
    await settle();
    expect(second.outcome).toMatchObject({
      kind: "matched",
      offer: writeDescription("o"),
      clientNat: "restricted",
    });
    expect(t.broker.consistencyCheck()).toEqual([]);
    expect(await t.answer("second", "of the second")).toBe("delivered");
    expect(await t.answer("first", "of the first")).toBe("client-gone");
    await settle();
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("of the second") });
    expect(t.events.count("second-asked")).toBe(1);
    expect(t.events.count("second-answered")).toBe(1);
    expect(t.broker.consistencyCheck()).toEqual([]);
    expect(t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
  });

  test("keeps its claim: the first answer wins, whoever sends it", async () => {
    const t = new TestBroker({ policy });
    t.poll("first");
    t.poll("second");
    const offer = t.offer("o");
    t.clock.advance(3_000);
    expect(await t.answer("first", "of the first")).toBe("delivered");
    expect(await t.answer("second", "of the second")).toBe("client-gone");
    await settle();
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("of the first") });
    expect(t.events.count("second-answered")).toBe(0);
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test("does not get its client more than 5 s", async () => {
    const t = new TestBroker({ policy });
    t.poll("first");
    t.poll("second");
    const offer = t.offer("o");
    t.clock.advance(4_999);
    await settle();
    expect(offer.outcome).toBeUndefined();
    t.clock.advance(1);
    await settle();
    expect(offer.outcome).toEqual({ kind: "timed-out" });
    for (const sid of ["first", "second"]) expect(await t.answer(sid, "a")).toBe("client-gone");
    expect(t.broker.load.clients).toBe(0);
  });

  test("costs no other client its proxy: none is asked who may be needed", async () => {
    const t = new TestBroker({ policy });
    // Twelve clients in a minute: one of them is to be expected while this one waits.
    for (let n = 0; n < 12; n++) t.offer(`denied ${n}`);
    t.poll("first");
    const offer = t.offer("o");
    const second = t.poll("second");
    t.clock.advance(2_000);
    await settle();
    expect(second.outcome).toBeUndefined();
    t.clock.advance(3_000);
    await settle();
    expect(offer.outcome?.kind).toBe("timed-out");
  });

  test("is only followed by one that its client can reach", async () => {
    const t = new TestBroker({ policy });
    t.poll("first");
    const strict = t.poll("strict", { nat: "strict" });
    t.offer("o", { nat: "restricted" });
    t.clock.advance(4_000);
    await settle();
    expect(strict.outcome).toBeUndefined();
  });

  test("is followed by one of another address, if there is one", async () => {
    const t = new TestBroker({ policy });
    const address = new Address("198.51.100.1");
    t.poll("first", { address });
    t.clock.advance(1);
    const neighbour = t.poll("neighbour", { address, nat: "strict" });
    const other = t.poll("other", { clients: 8 });
    t.offer("o", { nat: "unrestricted" });
    await settle();
    // The strict one comes first; the one at the same address follows last.
    expect(neighbour.outcome?.kind).toBe("matched");
    t.clock.advance(2_000);
    await settle();
    expect(other.outcome?.kind).toBe("matched");
  });

  test("has no second beside it whose client hung up", async () => {
    const t = new TestBroker({ policy });
    t.poll("first");
    const second = t.poll("second");
    t.offer("o").hangUp();
    t.clock.advance(4_000);
    await settle();
    expect(second.outcome).toBeUndefined();
  });

  test("loses both when its client hangs up", async () => {
    const t = new TestBroker({ policy });
    t.poll("first");
    t.poll("second");
    const offer = t.offer("o");
    t.clock.advance(2_500);
    offer.hangUp();
    for (const sid of ["first", "second"]) expect(await t.answer(sid, "a")).toBe("client-gone");
    expect(t.broker.consistencyCheck()).toEqual([]);
  });
});

test("a broker that is about to stop asks no second proxy", async () => {
  const t = new TestBroker({ policy });
  t.poll("first");
  const second = t.poll("second");
  t.offer("o");
  t.broker.retire();
  t.clock.advance(4_000);
  await settle();
  expect(second.outcome).toBeUndefined();
});

test("a client that waited for its proxy gets no second one", async () => {
  const t = new TestBroker({ policy: { ...policy, clientWait: 3_000, maxWaitingClients: 9 } });
  t.offer("o");
  t.clock.advance(500);
  t.poll("first");
  const second = t.poll("second");
  t.clock.advance(3_000);
  await settle();
  expect(second.outcome).toBeUndefined();
});
