/** Addresses the slow and obvious way, to judge the fast way by. */

/** The 128-bit value of a well-formed address; an IPv4 address is `::ffff:a.b.c.d`. */
export function valueOfAddress(text: string): bigint {
  if (!text.includes(":")) return 0xffff_0000_0000n | valueOfGroups(groupsOf(text));
  const [head = "", tail] = text.split("::");
  if (tail === undefined) return valueOfGroups(groupsOf(head));
  const before = groupsOf(head);
  const after = groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return valueOfGroups([...before, ...zeros, ...after]);
}

/** The value as four 32-bit words, most significant first. */
export function wordsOfValue(value: bigint): Uint32Array {
  return Uint32Array.from([96n, 64n, 32n, 0n], (shift) => Number((value >> shift) & 0xffff_ffffn));
}

/** All eight groups, none shortened by `::`. */
export function formatIpv6(value: bigint): string {
  return Array.from({ length: 8 }, (_, i) => (value >> BigInt(112 - 16 * i)) & 0xffffn)
    .map((group) => group.toString(16))
    .join(":");
}

export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function valueOfGroups(groups: readonly number[]): bigint {
  return BigInt(`0x${groups.map((group) => group.toString(16).padStart(4, "0")).join("")}`);
}
