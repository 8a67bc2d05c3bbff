import { expect, test } from "bun:test";

import { DER_TAG, encodeDer, encodeObjectIdentifier } from "../../../src/tls/acme/der.ts";

test.each([
  [0, "0400"],
  [1, "0401"],
  [127, "047f"],
  [128, "048180"],
  [255, "0481ff"],
  [256, "04820100"],
  [65_535, "0482ffff"],
  [65_536, "0483010000"],
])("a content of %p bytes comes after %s", (length, header) => {
  const content = Buffer.alloc(length, 7);
  const encoded = encodeDer(DER_TAG.octetString, content);
  expect(encoded.toString("hex")).toBe(header + content.toString("hex"));
});

test("the parts of a value come one after another", () => {
  const zero = encodeDer(DER_TAG.integer, Uint8Array.of(0));
  const encoded = encodeDer(DER_TAG.sequence, zero, encodeDer(DER_TAG.set), zero);
  expect(encoded.toString("hex")).toBe("30080201003100020100");
});

test.each([
  ["2.5.4.3", "0603550403"],
  ["2.5.29.17", "0603551d11"],
  // The example of X.690, 8.19.5.
  ["2.100.3", "0603813403"],
  ["1.2.840.10045.4.3.2", "06082a8648ce3d040302"],
  ["1.2.840.113549.1.9.14", "06092a864886f70d01090e"],
  ["1.3.127.128.16383.16384", "06092b7f8100ff7f818000"],
])("object identifier %s", (dotted, hex) => {
  expect(encodeObjectIdentifier(dotted).toString("hex")).toBe(hex);
});
