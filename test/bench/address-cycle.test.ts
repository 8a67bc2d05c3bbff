import { expect, test } from "bun:test";

import { AddressCycle } from "../../bench/address-cycle.ts";
import { isPublic } from "../../src/messages/address-ranges.ts";
import { parseAddress } from "../../src/messages/address-text.ts";

test("addresses are public, all different, and begin again after as many as asked for", () => {
  const length = 100_000;
  const cycle = new AddressCycle(length);
  const addresses = Array.from({ length }, () => cycle.next());
  const notPublic = addresses.filter((text) => {
    const address = parseAddress(text);
    return address === undefined || !isPublic(address);
  });
  expect(notPublic).toEqual([]);
  expect(new Set(addresses).size).toBe(length);
  expect(Array.from({ length: 3 }, () => cycle.next())).toEqual(addresses.slice(0, 3));
});

test("a thousand in a row are of as many networks of 16 bits", () => {
  const cycle = new AddressCycle(1 << 20);
  const networks = Array.from({ length: 1000 }, () =>
    cycle.next().split(".").slice(0, 2).join("."),
  );
  expect(new Set(networks).size).toBe(1000);
});
