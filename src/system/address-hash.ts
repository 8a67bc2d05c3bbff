/** How the rate limiter knows addresses without holding them. */

/** Only the lower 53 bits are kept, so that a key is a plain number. */
const KEY_BITS = 53;

/**
 * A fast hash of addresses under a secret that is made now and never leaves the process. It spreads entries and hides
 * addresses in memory; nobody without the secret can choose addresses that collide.
 */
export function createAddressHash(): (address: string) => number {
  const secret = crypto.getRandomValues(new Uint8Array(32)).toBase64();
  const [seed = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return (address) =>
    Number(BigInt.asUintN(KEY_BITS, Bun.hash.xxHash64(secret + address + secret, seed)));
}
