/** How an address is masked before it is counted. */

/** A hash of 64 bits as two unsigned numbers: the upper and the lower half. */
export interface AddressHash {
  readonly hi: number;
  readonly lo: number;
}

/** Equal texts have equal hashes for as long as the process lives, and nobody outside it can tell a hash's text. */
export interface AddressHasher {
  hash(text: string): AddressHash;
}
