/** A body that is sent piece by piece. */

import type { BodySource } from "../message.ts";
import type { Wire } from "../wire.ts";

/** One `BodySource` on its way to the peer: the next piece is read when the peer has taken the one before. */
export class LongReply {
  readonly #wire: Wire;
  readonly #source: BodySource;
  #ended = false;
  #onDrained: (() => void) | undefined = undefined;

  constructor(wire: Wire, source: BodySource) {
    this.#wire = wire;
    this.#source = source;
  }

  /** Sends all of it. Resolves to whether that succeeded; never rejects. */
  async send(): Promise<boolean> {
    try {
      let left = this.#source.length;
      while (left > 0) {
        const piece = await this.#source.read();
        if (this.#ended || piece.length === 0 || piece.length > left) return false;
        left -= piece.length;
        this.#wire.write(piece);
        await this.#taken();
        if (this.#ended) return false;
      }
      return true;
    } catch {
      return false;
    } finally {
      this.#source.close();
    }
  }

  drained(): void {
    this.#onDrained?.();
    this.#onDrained = undefined;
  }

  /** The connection has ended: no more is read. */
  ended(): void {
    this.#ended = true;
    this.drained();
  }

  /** Resolves when the peer has taken what was written, or the connection has ended. */
  async #taken(): Promise<void> {
    // A wire may gather what is written in one turn, and give it to its socket only then.
    await Promise.resolve();
    if (this.#ended || this.#wire.unsent === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onDrained = resolve;
    await promise;
  }
}
