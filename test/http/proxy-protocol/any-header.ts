/** What a connection may begin with where a PROXY header is expected, mostly nearly right. */

import fc from "fast-check";

import { HEADER_BYTES } from "../../../src/http/proxy-protocol/header.ts";
import { binary, IPV4, IPV6, line, tlv, UNIX } from "./headers.ts";

const address = fc.oneof(
  { weight: 4, arbitrary: fc.ipV4() },
  { weight: 4, arbitrary: fc.ipV6() },
  {
    weight: 2,
    arbitrary: fc.constantFrom("", "::", "1::2::3", "::ffff:1.2.3.4", "1.2.3", "[::1]", "::1%a"),
  },
);
const port = fc.oneof(
  { weight: 6, arbitrary: fc.nat(70_000).map(String) },
  fc.constantFrom("", "01", "+1", "65535", "65536", "1e3"),
);
const words = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom("TCP4", "TCP6", "TCP6"), address, address, port, port),
  },
  fc.array(fc.constantFrom("TCP4", "UNKNOWN", "UDP4", "1.2.3.4", "::1", "5", ""), { maxLength: 7 }),
  fc.integer({ min: 80, max: 110 }).map((length) => ["UNKNOWN", "x".repeat(length)]),
);

const anyBinary = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(0x21, 0x20) }, fc.nat(255)),
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x10) },
      fc.nat(255),
    ),
    fc.constantFrom(Buffer.alloc(0), IPV4, IPV6, UNIX),
    fc.oneof(
      { weight: 9, arbitrary: fc.nat(300) },
      fc.integer({ min: HEADER_BYTES - 300, max: HEADER_BYTES + 20 }),
    ),
  )
  .map(([command, kind, addresses, more]) => binary(command, kind, addresses, tlv(more)));

/** A place, how many bytes there go, and what comes instead. */
const change = fc.tuple(
  fc.nat(120),
  fc.nat(2),
  fc.oneof(
    fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(..." \r\n.:0").map((char) => Buffer.from(char)),
  ),
);

/** The first bytes of a connection: a header with something behind it, or a part of one. */
export const anyBeginning: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.oneof(
      words.map((all) => line(all.join(" "))),
      anyBinary,
    ),
    fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(change, { maxLength: 2 })),
    fc.constantFrom("", "", "\r\n", "PROXY TCP4"),
    fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.nat(300)),
  )
  .map(([header, changes, after, cut]) => {
    let bytes = Buffer.concat([header, Buffer.from(after)]);
    for (const [at, gone, instead] of changes) {
      const start = at % (bytes.length + 1);
      bytes = Buffer.concat([bytes.subarray(0, start), instead, bytes.subarray(start + gone)]);
    }
    return bytes.subarray(0, cut);
  });
