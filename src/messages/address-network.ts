/** Whose an address is: a subscriber has one IPv4 address, but a whole network of IPv6 addresses. */

import { parseIpv6 } from "./address-text.ts";
import type { Address } from "./address.ts";

/** Bits of the network that a subscriber is given at least (RFC 6177), in which every address is theirs to choose. */
export const DEFAULT_IPV6_PREFIX = 64;

/**
 * Text that is the same for all addresses that count as one: the address itself for IPv4, the first `ipv6Prefix` bits
 * (1 to 128) for IPv6. A zone counts only with all 128. For hashing only.
 */
export function networkOf(address: Address, ipv6Prefix: number): string {
  const text = address.reveal();
  if (ipv6Prefix === 128 || !text.includes(":")) return text;
  const percent = text.indexOf("%");
  const groups = parseIpv6(percent === -1 ? text : text.slice(0, percent)) ?? [];
  const whole = ipv6Prefix >>> 4;
  const rest = ipv6Prefix & 15;
  let network = "";
  for (let i = 0; i < whole; i++) network += `${groups[i]?.toString(16)}:`;
  if (rest !== 0) network += ((groups[whole] ?? 0) >>> (16 - rest)).toString(16);
  return `${network}/${ipv6Prefix}`;
}
