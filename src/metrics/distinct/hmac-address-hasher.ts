/** Masks addresses with HMAC-SHA3-256 under a key that lives as long as the process. */

import { type AddressHash, type AddressHasher } from "./address-hasher.ts";

/** Bytes of a key. */
const KEY_LENGTH = 32;

/** The hash is the first 8 bytes of the code, most significant first. */
export class HmacAddressHasher implements AddressHasher {
  /** A hasher that has read the key and nothing else. A copy costs half of what beginning anew does. */
  readonly #template: Bun.CryptoHasher;

  /** The random key is the default; only tests need a known one. It never leaves memory. */
  constructor(key: Uint8Array = crypto.getRandomValues(new Uint8Array(KEY_LENGTH))) {
    this.#template = new Bun.CryptoHasher("sha3-256", key);
  }

  hash(text: string): AddressHash {
    const code = this.#template.copy().update(text).digest();
    return { hi: code.readUInt32BE(0), lo: code.readUInt32BE(4) };
  }
}
