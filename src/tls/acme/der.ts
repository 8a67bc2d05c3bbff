/** Encoding values of ASN.1 in DER (ITU-T X.690), as far as a certificate request needs it. */

/** Identifier octets of the values used here (X.690, 8.1.2). */
export const DER_TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  /** `[0]`, constructed. */
  context0: 0xa0,
  /** `[2]`, primitive: `dNSName` among the general names of RFC 5280, 4.2.1.6. */
  dnsName: 0x82,
} as const;

/** Identifier, length and content, which is the given parts one after another. */
export function encodeDer(
  tag: (typeof DER_TAG)[keyof typeof DER_TAG],
  ...parts: readonly Uint8Array[]
): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag), encodeLength(content.length), content]);
}

/** An object identifier, given in dotted form such as `2.5.29.17`. */
export function encodeObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap(encodeArc);
  return encodeDer(DER_TAG.objectIdentifier, Uint8Array.from(octets));
}

/** One octet below 128, else the number of octets with the high bit set, then the octets, big-endian. */
function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

/** Seven bits in each octet, big-endian; all octets but the last have the high bit set. */
function encodeArc(arc: number): number[] {
  const octets = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
    octets.unshift(0x80 | (left % 128));
  }
  return octets;
}
