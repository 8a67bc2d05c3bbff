/** PROXY headers as load balancers send them. */

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/** A line of version 1, as bytes. */
export function line(text: string): Buffer {
  return Buffer.from(`PROXY ${text}\r\n`, "latin1");
}

/** A header of version 2: its bytes 12 and 13, then what it says of addresses, and more. */
export function binary(
  versionAndCommand: number,
  familyAndProtocol: number,
  ...body: readonly Uint8Array[]
): Buffer {
  const whole = Buffer.concat(body);
  const fixed = Buffer.alloc(4);
  fixed.writeUInt8(versionAndCommand, 0);
  fixed.writeUInt8(familyAndProtocol, 1);
  fixed.writeUInt16BE(whole.length, 2);
  return Buffer.concat([Buffer.from(SIGNATURE, "latin1"), fixed, whole]);
}

/** Both addresses are 192.0.2.7, both ports 443. */
export const IPV4 = Buffer.from("c0000207c000020701bb01bb", "hex");

/** Both addresses are 2001:db8::abcd, both ports 443. */
export const IPV6 = Buffer.from(`${"20010db800000000000000000000abcd".repeat(2)}01bb01bb`, "hex");

/** Two paths of unix sockets. */
export const UNIX = Buffer.alloc(216, "/run/x\0");

/** A TLV of type NOOP with so many bytes. */
export function tlv(length: number): Buffer {
  return Buffer.concat([Buffer.from([0x04, length >> 8, length & 0xff]), Buffer.alloc(length)]);
}
