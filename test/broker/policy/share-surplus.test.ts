import { expect, test } from "bun:test";

import { REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import type { NatType } from "../../../src/messages/nat-type.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

/** Half of the reserve is two proxies while nobody comes for open ones. */
const policy = { ...REFERENCE_POLICY, shareSurplus: true, leastReserve: 4 };

/** The NAT types of the proxies that clients of this one get, in turn. */
async function taken(t: TestBroker, nat: NatType, clients: number): Promise<NatType[]> {
  const order: NatType[] = [];
  const proxies = ["unrestricted", "unrestricted", "unrestricted", "unrestricted"] as const;
  const all = [...proxies, "restricted", "restricted"] as const;
  all.forEach((proxy, n) => {
    void t
      .poll(`${proxy} ${n}`, { nat: proxy })
      .ended.then(({ kind }) => kind === "matched" && order.push(proxy));
  });
  for (let n = 0; n < clients; n++) {
    t.offer(`${n}`, { nat });
    await settle();
  }
  expect(t.broker.consistencyCheck()).toEqual([]);
  return order;
}

test("clients that could use harder proxies get open ones while there are more than half of the reserve", async () => {
  const t = new TestBroker({ policy });
  expect(await taken(t, "unrestricted", 4)).toEqual([
    "unrestricted",
    "unrestricted",
    "restricted",
    "restricted",
  ]);
  expect(t.events.count("surplus-shared")).toBe(2);
});

test("what they get does not count as demand for open proxies", async () => {
  const t = new TestBroker({ policy: { ...policy, adaptiveInterval: { least: 0, most: 60_000 } } });
  await taken(t, "unrestricted", 2);
  // Two of four in reserve wait: half of the configured interval. With an offer more to expect it would be less.
  expect(t.broker.intervalsInForce().open).toBe(10_000);
});

test("a client that can use only open proxies is asked no such question", async () => {
  const t = new TestBroker({ policy });
  expect(await taken(t, "restricted", 4)).toEqual(Array(4).fill("unrestricted"));
  expect(t.events.count("surplus-shared")).toBe(0);
});

test("without it open proxies are the last choice", async () => {
  const t = new TestBroker({ policy: { ...policy, shareSurplus: false } });
  expect(await taken(t, "unrestricted", 3)).toEqual(["restricted", "restricted", "unrestricted"]);
});
