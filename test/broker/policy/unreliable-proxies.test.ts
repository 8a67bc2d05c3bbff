import { describe, expect, test } from "bun:test";

import {
  type MatchingPolicy,
  REACH_POLICY,
  REFERENCE_POLICY,
} from "../../../src/broker/policy/matching-policy.ts";
import { UnreliableProxies } from "../../../src/broker/policy/unreliable-proxies.ts";
import { Address } from "../../../src/messages/address.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";
import { Crowd } from "./crowd.ts";

const MINUTE = 60_000;
const KEY = 7;

/** Only what concerns proxies that do not answer. */
const policy: MatchingPolicy = {
  ...REFERENCE_POLICY,
  comesBefore: REACH_POLICY.comesBefore,
  silentProxiesLast: true,
};

describe("an address", () => {
  test("goes behind its peers after a failure, and comes back by itself", () => {
    const proxies = new UnreliableProxies(10);
    expect(proxies.isBehind(KEY, 0)).toBe(false);
    proxies.failed(KEY, 0);
    expect(proxies.isBehind(KEY, 29 * MINUTE)).toBe(true);
    expect(proxies.isBehind(KEY + 1, 0)).toBe(false);
    expect(proxies.isBehind(KEY, 30 * MINUTE)).toBe(false);
  });

  test("goes behind for longer each time, four hours at most", () => {
    const proxies = new UnreliableProxies(10);
    let now = 0;
    for (const minutes of [30, 60, 120, 240, 240]) {
      proxies.failed(KEY, now);
      now += minutes * MINUTE;
      expect(proxies.isBehind(KEY, now - 1)).toBe(true);
      expect(proxies.isBehind(KEY, now)).toBe(false);
    }
  });

  test("is what it was before when it succeeds as often as it failed", () => {
    const proxies = new UnreliableProxies(10);
    proxies.failed(KEY, 0);
    proxies.failed(KEY, 0);
    proxies.succeeded(KEY, 1);
    expect(proxies.isBehind(KEY, 1)).toBe(true);
    proxies.succeeded(KEY, 1);
    expect(proxies.isBehind(KEY, 1)).toBe(false);
    expect(proxies.size).toBe(0);
  });

  test("has no failures any more an hour after it came back", () => {
    const proxies = new UnreliableProxies(10);
    proxies.failed(KEY, 0);
    proxies.failed(KEY, 91 * MINUTE);
    expect(proxies.isBehind(KEY, 121 * MINUTE)).toBe(false);
  });

  test("that many share is judged by how many fail, not by their number", () => {
    const proxies = new UnreliableProxies(10);
    let behind = 0;
    // Of a hundred proxies behind one address ten never answer.
    for (let n = 0; n < 1_000; n++) {
      if (n % 10 === 0) proxies.failed(KEY, n * 1_000);
      else proxies.succeeded(KEY, n * 1_000);
      if (proxies.isBehind(KEY, n * 1_000)) behind++;
    }
    expect(behind).toBe(100);
  });

  test("takes no memory unless it failed, and no more than there is", () => {
    const proxies = new UnreliableProxies(10);
    for (let key = 0; key < 100; key++) proxies.succeeded(key, 0);
    expect(proxies.size).toBe(0);
    for (let key = 0; key < 100; key++) proxies.failed(key, 0);
    expect(proxies.size).toBe(10);
  });
});

describe("a proxy that did not answer", () => {
  const address = new Address("198.51.100.1");

  test("is taken after its peers, however many clients they serve", async () => {
    const t = new TestBroker({ policy });
    t.poll("silent", { address });
    t.offer("1");
    t.clock.advance(25_000);
    expect(t.events.count("proxy-silent")).toBe(1);
    const silent = t.poll("silent again", { address });
    const busy = t.poll("busy", { clients: 8 });
    t.offer("2");
    await settle();
    expect([busy.outcome?.kind, silent.outcome]).toEqual(["matched", undefined]);
    t.offer("3");
    await settle();
    expect(silent.outcome?.kind).toBe("matched");
  });

  test("because its client hung up is not to blame", () => {
    const t = new TestBroker({ policy });
    t.poll("p", { address });
    t.offer("1").hangUp();
    t.clock.advance(25_000);
    expect(t.events.count("proxy-silent")).toBe(0);
  });

  test("before a second one did counts as silent", async () => {
    const t = new TestBroker({ policy: { ...policy, secondChance: 2_000 } });
    t.poll("first", { address });
    t.poll("second");
    t.offer("1");
    t.clock.advance(2_000);
    await t.answer("second", "a");
    expect(t.events.count("proxy-silent")).toBe(1);
    t.clock.advance(20_001);
    const silent = t.poll("first again", { address });
    const other = t.poll("other", { clients: 8 });
    t.offer("2");
    await settle();
    expect([other.outcome?.kind, silent.outcome]).toEqual(["matched", undefined]);
  });

  test("is not to blame if a second one does not answer that offer either", async () => {
    const t = new TestBroker({ policy: { ...policy, secondChance: 2_000 } });
    t.poll("first", { address });
    t.poll("second");
    t.offer("nobody can answer this");
    t.clock.advance(25_000);
    expect(t.events.count("proxy-silent")).toBe(0);
    const again = t.poll("first again", { address });
    t.poll("busy", { clients: 8 });
    t.offer("o");
    await settle();
    expect(again.outcome?.kind).toBe("matched");
  });

  test("is not to blame if it had less time than others, since its client had to wait for it", () => {
    const t = new TestBroker({ policy: { ...policy, clientWait: 3_000, maxWaitingClients: 9 } });
    t.offer("o");
    t.clock.advance(2_900);
    t.poll("p", { address });
    t.clock.advance(25_000);
    expect(t.events.count("proxy-silent")).toBe(0);
  });

  test("is nothing special for the reference", async () => {
    const t = new TestBroker();
    t.poll("silent", { address });
    t.offer("1");
    t.clock.advance(25_000);
    const silent = t.poll("silent again", { address });
    t.poll("busy", { clients: 8 });
    t.offer("2");
    await settle();
    expect(silent.outcome?.kind).toBe("matched");
  });
});

test("whoever sends offers that nobody can answer puts no honest proxy behind his own", async () => {
  const t = new TestBroker({ policy: REACH_POLICY });
  for (let n = 0; n < 100; n++) t.poll(`honest ${n}`, { address: new Address(`198.51.100.${n}`) });
  for (let n = 0; n < 50; n++) {
    t.offer("v=nonsense");
    t.clock.advance(500);
    await settle();
  }
  t.clock.advance(60_000);
  expect(t.events.count("proxy-silent")).toBe(0);
});

test("a hundred liars among a thousand proxies cost hardly anybody a match after five minutes", async () => {
  const timeouts = async (of: MatchingPolicy) => {
    const crowd = new Crowd({ policy: of });
    crowd.addProxies(900, { answersAfter: 500 });
    crowd.addProxies(100);
    await crowd.pass(300, 10);
    const { timedOut, offers } = crowd.counts;
    await crowd.pass(600, 10);
    return (crowd.counts.timedOut - timedOut) / (crowd.counts.offers - offers);
  };
  expect(await timeouts(policy)).toBeLessThan(0.005);
  expect(await timeouts(REFERENCE_POLICY)).toBeGreaterThan(0.01);
});
