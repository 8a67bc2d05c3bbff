import { describe, expect, test } from "bun:test";

import { REACH_POLICY, REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { Retries } from "../../../src/broker/policy/retries.ts";
import { Address } from "../../../src/messages/address.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

const CLIENT = 1;
const PROXY = 100;
const HOUR = 3_600_000;

class Told {
  readonly failed: number[] = [];
  readonly worked: number[] = [];
  readonly retries: Retries;

  constructor(maxEntries = 10) {
    this.retries = new Retries(maxEntries, {
      onFailed: (proxy) => this.failed.push(proxy),
      onWorked: (proxy) => this.worked.push(proxy),
    });
  }
}

describe("a client that comes back", () => {
  test.each([
    ["within 30 s of an answer could not connect", 10_000, [PROXY], []],
    ["just within them, too", 30_000, [PROXY], []],
    ["later has lost a connection that worked", 30_001, [], []],
    ["sooner than a client does is more than one", 5_000, [], []],
  ])("%s", (_, after, failed) => {
    const { retries, ...told } = new Told();
    retries.answered(CLIENT, PROXY, 0);
    const lesson = retries.offerCame(CLIENT, "unrestricted", after);
    expect(told.failed).toEqual(failed);
    expect(lesson).toEqual(failed.length > 0 ? { nat: "moderate", failedWith: PROXY } : undefined);
  });

  test("counts one class stricter each time, for an hour", () => {
    const { retries } = new Told();
    let now = 0;
    for (const expected of ["moderate", "strict", "strict"] as const) {
      retries.answered(CLIENT, PROXY, now);
      now += 10_000;
      expect(retries.offerCame(CLIENT, "open", now)?.nat).toBe(expected);
    }
    expect(retries.offerCame(CLIENT, "unknown", now)?.nat).toBe("unknown");
    expect(retries.offerCame(CLIENT, "restricted", now)?.nat).toBe("restricted");
    expect(retries.offerCame(CLIENT, "open", now + HOUR)?.nat).toBe("strict");
    expect(retries.offerCame(CLIENT, "open", now + HOUR + 1)).toBeUndefined();
  });

  test("is judged once for each answer", () => {
    const told = new Told();
    told.retries.answered(CLIENT, PROXY, 0);
    for (const now of [10_000, 20_000, 30_000]) told.retries.offerCame(CLIENT, "open", now);
    expect(told.failed).toEqual([PROXY]);
  });

  test("at an address that several share teaches nothing for an hour", () => {
    const told = new Told();
    told.retries.answered(CLIENT, PROXY, 0);
    told.retries.offerCame(CLIENT, "open", 1_000);
    told.retries.answered(CLIENT, PROXY, 1_500);
    expect(told.retries.offerCame(CLIENT, "open", 15_000)).toBeUndefined();
    expect(told.failed).toEqual([]);
  });
});

test("a proxy whose client does not come back worked", () => {
  const told = new Told();
  told.retries.answered(CLIENT, PROXY, 0);
  // Entries are looked at when others come.
  for (let n = 0; n < 5; n++) told.retries.answered(CLIENT + 1, PROXY + 1, 60_000);
  expect(told.worked).toEqual([PROXY]);
});

describe("the broker", () => {
  const policy = {
    ...REFERENCE_POLICY,
    comesBefore: REACH_POLICY.comesBefore,
    learnFromRetries: true,
  };
  const client = new Address("203.0.113.1");
  const bad = new Address("198.51.100.1");

  test("gives such a client an easier proxy, and another one", async () => {
    const t = new TestBroker({ policy });
    t.poll("strict", { nat: "strict", address: bad });
    t.offer("1", { nat: "unrestricted", address: client });
    await t.answer("strict", "a");
    t.clock.advance(25_000);

    const strict = t.poll("strict again", { nat: "strict" });
    const same = t.poll("same", { nat: "moderate", address: bad });
    const other = t.poll("other", { nat: "open", clients: 8 });
    t.offer("2", { nat: "unrestricted", address: client });
    await settle();
    expect([strict.outcome, same.outcome]).toEqual([undefined, undefined]);
    expect(other.outcome).toMatchObject({ kind: "matched", clientNat: "unrestricted" });
    for (const act of ["retry-noticed", "client-stricter", "proxy-passed-over"]) {
      expect(t.events.count(act)).toBe(1);
    }
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test("gives it the same proxy rather than none", async () => {
    const t = new TestBroker({ policy });
    t.poll("1", { address: bad });
    t.offer("1", { address: client });
    await t.answer("1", "a");
    t.clock.advance(25_000);
    const again = t.poll("2", { address: bad });
    t.offer("2", { address: client });
    await settle();
    expect(again.outcome?.kind).toBe("matched");
  });

  test("takes a proxy that clients can't connect to after its peers", async () => {
    const t = new TestBroker({ policy });
    t.poll("1", { address: bad });
    t.offer("1", { address: client });
    await t.answer("1", "a");
    t.clock.advance(20_001);
    t.offer("2", { address: client });
    const again = t.poll("bad", { address: bad });
    const busy = t.poll("busy", { clients: 8 });
    t.offer("3", { address: new Address("203.0.113.2") });
    await settle();
    expect([again.outcome, busy.outcome?.kind]).toEqual([undefined, "matched"]);
  });

  test("learns nothing of clients whose address is not known", async () => {
    const t = new TestBroker({ policy });
    t.poll("1", { address: bad });
    t.offer("1", { address: undefined });
    await t.answer("1", "a");
    t.clock.advance(20_001);
    t.offer("2", { address: undefined });
    expect(t.events.count("retry-noticed")).toBe(0);
  });
});
