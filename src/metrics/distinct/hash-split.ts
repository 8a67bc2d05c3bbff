/**
 * How a hash of 64 bits becomes a register and its value, directly or by way of a sparse key of 32 bits.
 *
 * A hash is two unsigned halves: `hi` (bits 63..32) and `lo` (bits 31..0). Its index is its 18 highest bits; its rho is
 * one more than the number of leading zeros in the other 46.
 *
 * A sparse key keeps 25 bits of the hash. If the low 7 of them (which stand behind the index) are not all zero, they
 * tell rho, and the key is even. Otherwise the key is odd and carries, in 6 bits, where the first one follows.
 */

/** log2 of the number of registers. */
export const PRECISION = 18;

/** Number of registers of a dense sketch, one byte each. */
export const REGISTERS = 1 << PRECISION;

/** The largest rho: all 46 bits behind the index are zero. */
export const MAX_RHO = 64 - PRECISION + 1;

/** The largest count of an odd key: all 39 bits behind the 25 are zero. */
const MAX_TAIL = 40;

/** The register of a hash. */
export function hashIndex(hi: number): number {
  return hi >>> 14;
}

/** The value that a hash gives its register: 1 to 47. */
export function hashRho(hi: number, lo: number): number {
  const head = hi & 0x3fff;
  return head === 0 ? 15 + Math.clz32(lo) : Math.clz32(head) - 17;
}

/** The sparse key of a hash, unsigned. */
export function sparseKey(hi: number, lo: number): number {
  if (((hi >>> 7) & 0x7f) !== 0) return (hi >>> 7) * 2;
  const head = hi & 0x7f;
  const tail = head === 0 ? 8 + Math.clz32(lo) : Math.clz32(head) - 24;
  return ((hi & 0xffffc000) | (tail << 1) | 1) >>> 0;
}

/** The register of a sparse key. */
export function keyIndex(key: number): number {
  return (key & 1) === 0 ? (key >>> 8) & (REGISTERS - 1) : key >>> 14;
}

/** The value that a sparse key gives its register. */
export function keyRho(key: number): number {
  return (key & 1) === 0 ? Math.clz32((key >>> 1) & 0x7f) - 24 : ((key >>> 1) & 0x3f) + 7;
}

/** Whether some hash has this sparse key. */
export function isSparseKey(key: number): boolean {
  if ((key & 1) === 0) return key < 2 ** 26 && (key & 0xfe) !== 0;
  const tail = (key >>> 1) & 0x3f;
  return (key & 0x3f80) === 0 && tail >= 1 && tail <= MAX_TAIL;
}
