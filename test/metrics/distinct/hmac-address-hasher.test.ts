import { describe, expect, test } from "bun:test";

import { sparseKey } from "../../../src/metrics/distinct/hash-split.ts";
import { HmacAddressHasher } from "../../../src/metrics/distinct/hmac-address-hasher.ts";
import vectors from "../../vectors/hll.json";

describe("masking", () => {
  test.each(vectors.masking)("'$ip'", ({ ip, hash64_hex, sparse_key }) => {
    const hasher = new HmacAddressHasher(Uint8Array.fromHex(vectors.masking_key_hex));
    const { hi, lo } = hasher.hash(ip);
    expect(hi * 2 ** 32 + lo).toBe(Number(`0x${hash64_hex}`));
    expect(hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0")).toBe(hash64_hex);
    expect(sparseKey(hi, lo)).toBe(sparse_key);
    expect(hasher.hash(ip)).toEqual({ hi, lo });
  });

  test("every run has a key of its own", () => {
    const [a, b] = [new HmacAddressHasher(), new HmacAddressHasher()];
    expect(a.hash("192.0.2.1")).toEqual(a.hash("192.0.2.1"));
    expect(a.hash("192.0.2.1")).not.toEqual(b.hash("192.0.2.1"));
  });
});
