import { expect, test } from "bun:test";

import { REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { Address } from "../../../src/messages/address.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

const policy = { ...REFERENCE_POLICY, avoidSameCountry: true };

/** Addresses that begin so are in a country; others are in none that is known. */
const COUNTRIES = new Map([
  ["198.51.100", "aa"],
  ["203.0.113", "bb"],
]);
const countryOf = (address: Address) => COUNTRIES.get(address.reveal().replace(/\.\d+$/, ""));

const IN_AA = new Address("198.51.100.1");
const IN_BB = new Address("203.0.113.1");
const SOMEWHERE = new Address("192.0.2.200");

test.each([
  ["another country's", { policy, countryOf }, IN_BB, "abroad"],
  ["an unknown country's", { policy, countryOf }, SOMEWHERE, "abroad"],
  ["the first in turn, if countries do not count", { countryOf }, IN_BB, "at home"],
  ["the first in turn, if no country is known", { policy }, IN_BB, "at home"],
])(
  "of a proxy of its own country and others a client gets %s",
  async (_, parts, other, expected) => {
    const t = new TestBroker(parts);
    const home = t.poll("at home", { address: IN_AA });
    const abroad = t.poll("abroad", { address: other, clients: 8 });
    t.offer("o", { address: new Address("198.51.100.2") });
    await settle();
    const taken = { "at home": home, abroad };
    for (const [name, { outcome }] of Object.entries(taken)) {
      expect(outcome?.kind).toBe(name === expected ? "matched" : undefined);
    }
    expect(t.broker.consistencyCheck()).toEqual([]);
  },
);

test("a client gets a proxy of its own country rather than none", async () => {
  const t = new TestBroker({ policy, countryOf });
  const home = t.poll("at home", { address: IN_AA });
  t.offer("o", { address: new Address("198.51.100.2") });
  await settle();
  expect(home.outcome?.kind).toBe("matched");
});

test("a proxy that was passed over keeps its turn", async () => {
  const t = new TestBroker({ policy, countryOf });
  const home = t.poll("at home", { address: IN_AA });
  t.poll("abroad", { address: IN_BB });
  t.poll("last", { address: SOMEWHERE });
  t.offer("1", { address: new Address("198.51.100.2") });
  t.offer("2", { address: new Address("203.0.113.9") });
  await settle();
  expect(home.outcome?.kind).toBe("matched");
});
