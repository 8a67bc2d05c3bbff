import { expect, test } from "bun:test";

import { ask } from "../../../src/link/nats/cluster-messages.ts";
import { ByteReader } from "../../../src/link/socket/byte-reader.ts";
import { ByteWriter } from "../../../src/link/socket/byte-writer.ts";
import { decodePayload } from "../../../src/link/socket/codec.ts";
import { Address } from "../../../src/messages/address.ts";
import { anOffer } from "../socket/linked.ts";

test("a node that is asked for a proxy is not told the client's address", () => {
  const writer = new ByteWriter();
  const offer = anOffer("hello", { address: new Address("203.0.113.77"), nat: "restricted" });
  const value = { ticket: 7, pool: "open", isSecond: true, offer, relayUrl: "wss://r/" } as const;
  ask.write(writer, value);
  const bytes = Buffer.from(writer.bytes);
  expect(bytes.includes("203.0.113.77")).toBe(false);
  expect(decodePayload(ask, new ByteReader(bytes))).toEqual({
    ...value,
    offer: { ...offer, address: undefined },
  });
});
