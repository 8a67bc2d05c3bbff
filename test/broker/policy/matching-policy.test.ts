import { expect, test } from "bun:test";

import {
  type MatchingPolicy,
  REFERENCE_POLICY,
} from "../../../src/broker/policy/matching-policy.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

/** All that a policy says, otherwise than the reference: one pool for all, the last to come first, other times. */
const OTHER: MatchingPolicy = {
  ...REFERENCE_POLICY,
  poolOfProxy: {
    unrestricted: "strict",
    open: "strict",
    moderate: "strict",
    restricted: "strict",
    strict: "strict",
    unknown: "strict",
  },
  poolsForClient: { ...REFERENCE_POLICY.poolsForClient, unknown: ["strict"] },
  comesBefore: (one, other) => one.poolTicket > other.poolTicket,
  proxyDeadline: 25_000,
  proxyWait: 25_000,
  clientDeadline: 2_000,
};

test("the broker obeys whatever policy it is given", async () => {
  const t = new TestBroker({ policy: OTHER });
  const first = t.poll("first", { nat: "unrestricted" });
  const last = t.poll("last", { nat: "restricted", clients: 7 });
  const client = t.offer("o", { nat: "unknown" });
  await settle();
  expect(last.outcome?.kind).toBe("matched");
  t.clock.advance(2_000);
  await settle();
  expect(client.outcome?.kind).toBe("timed-out");
  t.clock.advance(22_999);
  await settle();
  expect(first.outcome).toBeUndefined();
  expect(t.broker.consistencyCheck()).toEqual([]);
  t.clock.advance(1);
  await settle();
  expect(first.outcome?.kind).toBe("idle");
});

test.each([
  [
    { proxyDeadline: 10_000, proxyWait: 9_000 },
    "proxyDeadline (10000) must be above 0 and at most",
  ],
  [{ proxyDeadline: 0, proxyWait: 0 }, "proxyDeadline (0) must be above 0"],
  [{ proxyWait: 25_500 }, "proxyWait (25500) must be whole seconds"],
  [{ proxyWait: 29_000 }, "proxyWait (29000) must be at most 28000"],
  [
    { clientWait: 5_000 },
    "clientWait (5000) and secondChance (0) must be less than clientDeadline",
  ],
  [
    { secondChance: 5_000 },
    "clientWait (0) and secondChance (5000) must be less than clientDeadline (5000)",
  ],
  [{ leastReserve: 0 }, "leastReserve (0) must be above 0"],
])("a policy whose values contradict one another is refused: %o", (values, message) => {
  const policy = { ...REFERENCE_POLICY, ...values };
  expect(() => new TestBroker({ policy })).toThrow(message);
});
