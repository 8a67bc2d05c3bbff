import { expect, test } from "bun:test";

import fc from "fast-check";

import { networkOf } from "../../src/messages/address-network.ts";
import { parseAddress } from "../../src/messages/address-text.ts";

function network(text: string, prefix = 64): string {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return networkOf(address, prefix);
}

test.each([
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", 64, true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", 64, false],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", 63, true],
  ["2001:db8:1:2::1", "2001:db8:1:ff::1", 56, true],
  ["2001:db8:1:2::1", "2001:db8:1:1ff::1", 56, false],
  ["2001:db8:1::1", "2001:db9::1", 1, true],
  ["1::", "8000::", 1, false],
  ["2001:db8::2", "2001:db8::3", 127, true],
  ["2001:db8::2", "2001:db8::3", 128, false],
  ["fe80::1%a", "fe80::1%b", 64, true],
  ["fe80::1%a", "fe80::1%b", 128, false],
  ["192.0.2.1", "192.0.2.2", 64, false],
  ["192.0.2.1", "::ffff:192.0.2.1", 64, true],
])("%s and %s with a prefix of %d: one network? %p", (first, second, prefix, same) => {
  expect(network(first, prefix) === network(second, prefix)).toBe(same);
});

test("two IPv6 addresses are of one network if, and only if, their first bits are the same", () => {
  const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, fc.integer({ min: 1, max: 128 }), fc.nat(127), (first, prefix, bit) => {
      // Not `::`, which is nobody's, and no IPv4 address in IPv6 clothes.
      first[0] = 0x2001;
      const second = [...first];
      const at = bit >>> 4;
      second[at] = (second[at] ?? 0) ^ (0x8000 >>> (bit & 15));
      if (second[0] === 0) return;
      const text = (all: readonly number[]) => all.map((group) => group.toString(16)).join(":");
      expect(network(text(first), prefix) === network(text(second), prefix)).toBe(bit >= prefix);
    }),
  );
});
