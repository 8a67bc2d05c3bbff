import { expect, test } from "bun:test";

import fc from "fast-check";

import { bridgeHostPolicy, coveringPolicy } from "../../src/broker/policy/relay-policy.ts";
import { admits, covers, parseRelayPattern } from "../../src/messages/relay-pattern.ts";
import vectors from "../vectors/relay_pattern.json";

for (const { accepted, broker, proxy } of vectors.cases) {
  test(`proxy ${proxy} ${accepted ? "may" : "may not"} serve a broker with ${broker}`, () => {
    expect(coveringPolicy(parseRelayPattern(broker)).accepts(proxy)).toBe(accepted);
  });
}

test("a proxy without a pattern serves under neither policy", () => {
  expect(coveringPolicy(parseRelayPattern("")).accepts(null)).toBe(false);
  expect(bridgeHostPolicy([]).accepts(null)).toBe(false);
});

test("a pattern that covers another admits every host that the other admits", () => {
  const label = fc.constantFrom("a", "b", ".", "^", "$");
  const text = fc.array(label, { maxLength: 5 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, text, text, (wide, narrow, host) => {
      const [one, other] = [parseRelayPattern(wide), parseRelayPattern(narrow)];
      if (covers(one, other) && admits(other, host)) expect(admits(one, host)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
