/** Which addresses can't be a peer on the public Internet, so that a header naming one says nothing of the client. */

import { parseIpv4, parseIpv6 } from "./address-text.ts";
import { type Address } from "./address.ts";

/** Ranges that are not public: network, prefix length in bits, and what each is for. */
const NON_PUBLIC_IPV4 = [
  ["0.0.0.0", 8, "this network, RFC 1122"],
  ["10.0.0.0", 8, "private use, RFC 1918"],
  ["100.64.0.0", 10, "shared by carrier-grade NAT, RFC 6598"],
  ["127.0.0.0", 8, "loopback, RFC 1122"],
  ["169.254.0.0", 16, "link-local, RFC 3927"],
  ["172.16.0.0", 12, "private use, RFC 1918"],
  ["192.0.0.0", 24, "protocol assignments, RFC 6890"],
  ["192.0.2.0", 24, "documentation, RFC 5737"],
  ["192.88.99.0", 24, "6to4 relays, RFC 7526"],
  ["192.168.0.0", 16, "private use, RFC 1918"],
  ["198.18.0.0", 15, "benchmarking, RFC 2544"],
  ["198.51.100.0", 24, "documentation, RFC 5737"],
  ["203.0.113.0", 24, "documentation, RFC 5737"],
  ["224.0.0.0", 4, "multicast, RFC 5771"],
  ["240.0.0.0", 4, "reserved, RFC 1112; with 255.255.255.255, broadcast"],
] as const;

const NON_PUBLIC_IPV6 = [
  ["::", 128, "unspecified, RFC 4291"],
  ["::1", 128, "loopback, RFC 4291"],
  ["100::", 64, "discard only, RFC 6666"],
  ["2001::", 23, "protocol assignments, RFC 2928; with 2001::/32, Teredo, RFC 4380"],
  ["2001:db8::", 32, "documentation, RFC 3849"],
  ["2002::", 16, "6to4, RFC 3056"],
  ["fc00::", 7, "unique local, RFC 4193"],
  ["fe80::", 10, "link-local, RFC 4291"],
  ["ff00::", 8, "multicast, RFC 4291"],
] as const;

const ipv4Ranges = NON_PUBLIC_IPV4.map(([network, bits]) => ({
  network: parseIpv4(network),
  /** How many addresses the range holds. */
  size: 2 ** (32 - bits),
}));

const ipv6Ranges = NON_PUBLIC_IPV6.map(([network, bits]) => ({
  network: parseIpv6(network) ?? [],
  bits,
}));

/** Whether an address can be that of a peer on the public Internet. A zone makes no difference. */
export function isPublic(address: Address): boolean {
  const text = address.reveal();
  const percent = text.indexOf("%");
  const ip = percent === -1 ? text : text.slice(0, percent);
  const ipv4 = parseIpv4(ip);
  if (ipv4 !== undefined) {
    return !ipv4Ranges.some(({ network, size }) => ipv4 - (ipv4 % size) === network);
  }
  const groups = parseIpv6(ip);
  return (
    groups !== undefined &&
    !ipv6Ranges.some(({ network, bits }) => hasPrefix(groups, network, bits))
  );
}

/** Whether the first `bits` bits of two IPv6 addresses, given as 16-bit groups, are equal. */
function hasPrefix(groups: readonly number[], network: readonly number[], bits: number): boolean {
  for (let i = 0, left = bits; left > 0; i++, left -= 16) {
    const difference = (groups[i] ?? 0) ^ (network[i] ?? 0);
    if (difference >>> Math.max(16 - left, 0) !== 0) return false;
  }
  return true;
}
