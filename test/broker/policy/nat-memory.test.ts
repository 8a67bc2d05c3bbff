import { describe, expect, test } from "bun:test";

import { REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { NatMemory } from "../../../src/broker/policy/nat-memory.ts";
import { Address } from "../../../src/messages/address.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

const HOUR = 3_600_000;
const KEY = 7;

describe("an address that once proved to be open", () => {
  test("is open while nobody can tell, for so many hours", () => {
    const memory = new NatMemory(6 * HOUR, 10);
    expect(memory.poolOf(KEY, "unrestricted", "open", 0)).toBe("open");
    expect(memory.poolOf(KEY, "unknown", "strict", 6 * HOUR)).toBe("open");
    expect(memory.poolOf(KEY + 1, "unknown", "strict", 0)).toBe("strict");
    expect(memory.poolOf(KEY, "unknown", "strict", 6 * HOUR + 1)).toBe("strict");
  });

  test("is never better than what it said last", () => {
    const memory = new NatMemory(6 * HOUR, 10);
    memory.poolOf(KEY, "open", "open", 0);
    memory.poolOf(KEY, "moderate", "moderate", 1);
    expect(memory.poolOf(KEY, "unknown", "strict", 2)).toBe("moderate");
    memory.poolOf(KEY, "restricted", "strict", 3);
    expect(memory.poolOf(KEY, "unknown", "strict", 4)).toBe("strict");
  });

  test("is no longer so because it was remembered", () => {
    const memory = new NatMemory(HOUR, 10);
    memory.poolOf(KEY, "open", "open", 0);
    memory.poolOf(KEY, "unknown", "strict", HOUR);
    expect(memory.poolOf(KEY, "unknown", "strict", HOUR + 1)).toBe("strict");
  });

  test("is remembered within bounds, and strict ones are not", () => {
    const memory = new NatMemory(HOUR, 10);
    for (let key = 0; key < 100; key++) memory.poolOf(key, "strict", "strict", 0);
    expect(memory.size).toBe(0);
    for (let key = 0; key < 100; key++) memory.poolOf(key, "open", "open", 0);
    expect(memory.size).toBe(10);
  });
});

test("a restricted client gets a proxy whose probe failed, if its address was open before", async () => {
  const address = new Address("198.51.100.1");
  const matches = async (rememberNat: number) => {
    const t = new TestBroker({ policy: { ...REFERENCE_POLICY, rememberNat } });
    t.poll("before", { address, nat: "unrestricted" });
    t.clock.advance(30_000);
    const poll = t.poll("p", { address, nat: "unknown" });
    t.offer("o", { nat: "restricted" });
    await settle();
    expect(t.broker.consistencyCheck()).toEqual([]);
    return poll.outcome?.kind;
  };
  expect(await matches(HOUR)).toBe("matched");
  expect(await matches(0)).toBeUndefined();
});
