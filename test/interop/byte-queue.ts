import { within } from "./waiting.ts";

/** Bytes that arrive in pieces and are taken out by number. */
export class ByteQueue {
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  readonly #begun = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();

  /** Resolves when the first bytes have come. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  push(bytes: Uint8Array): void {
    this.#begun.resolve();
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#announce();
  }

  /** No more bytes will come; whoever waits for more is rejected. */
  end(): void {
    this.#ended = true;
    this.#announce();
  }

  /** The next `length` bytes, waiting for them at most `bound` ms. */
  take(length: number, bound: number): Promise<Uint8Array> {
    return within(bound, `${length} bytes`, this.#take(length));
  }

  async #take(length: number): Promise<Uint8Array> {
    while (this.#bytes.length < length) {
      if (this.#ended) throw new Error(`ended after ${this.#bytes.length} of ${length} bytes`);
      await this.#changed.promise;
    }
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
