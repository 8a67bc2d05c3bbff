/** The addresses of generated peers. */

/** Networks of 8 bits from here on are all public, so that brokers believe headers that name them. */
const FIRST_NETWORK = 32;
const NETWORK_BITS = 6;

/**
 * Public IPv4 addresses, one after the other, and from the start again. Neighbours are in different networks, hence
 * countries.
 */
export class AddressCycle {
  readonly #length: number;
  #index = 0;

  /** `length`: how many there are, at most 2^30. */
  constructor(length: number) {
    this.#length = length;
  }

  next(): string {
    const index = this.#index;
    this.#index = (index + 1) % this.#length;
    const network = FIRST_NETWORK + (index % (1 << NETWORK_BITS));
    const rest = index >> NETWORK_BITS;
    return `${network}.${rest & 255}.${(rest >> 8) & 255}.${rest >> 16}`;
  }
}
