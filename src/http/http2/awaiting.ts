/** What a connection with many streams awaits from its peer. */

import type { Awaited, Wire } from "../wire.ts";

/**
 * The first of these that is true is awaited:
 * - `body`: a body is incomplete, even if other streams wait for their replies;
 * - `head`: the preface, a field block or a frame is incomplete;
 * - `reply`: a handler has not replied, or a body of ours is being read;
 * - `request`: none of these. Replies may wait for the peer to open its windows.
 *
 * The time for bodies counts for all bodies that were incomplete when it started. It starts again for the
 * younger ones when those are complete. So no byte renews it, and no body gets more than twice the time.
 */
export class Awaiting {
  readonly #wire: Wire;
  #awaited: Awaited = "request";
  /** For `body`: the last stream when the time started. Else a number that changes when the time has to start again. */
  #since = 0;
  /** Bodies that are incomplete. */
  #bodies = 0;
  /** Incomplete bodies of streams up to `#since`: the time counts for them. */
  #timedBodies = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** A request has arrived whose body is not complete. */
  bodyBegins(): void {
    this.#bodies++;
  }

  /** The body of this stream is complete, or will never be. */
  bodyEnds(stream: number): void {
    this.#bodies--;
    if (this.isTimed(stream)) this.#timedBodies--;
  }

  /** Whether the time counts for the incomplete body of this stream. */
  isTimed(stream: number): boolean {
    return this.#awaited === "body" && stream <= this.#since;
  }

  /** The wire has stopped its time: the next `update` starts it again. */
  timeIsUp(): void {
    this.#awaited = "reply";
    this.#since = 0;
  }

  /**
   * Tells the wire what is awaited, if that has changed. `lastStream`: the last stream that the peer has opened.
   * `partial`: identifies the preface, block or frame that is incomplete; 0: none is. `replying`: whether a reply is
   * being made. `progress`: grows with every frame of a reply.
   */
  update(lastStream: number, partial: number, replying: boolean, progress: number): void {
    if (this.#bodies > 0) {
      if (this.#awaited === "body" && this.#timedBodies > 0) return;
      this.#timedBodies = this.#bodies;
      this.#begin("body", lastStream);
    } else if (partial !== 0) {
      if (this.#awaited !== "head" || this.#since !== partial) this.#begin("head", partial);
    } else if (replying) {
      if (this.#awaited !== "reply") this.#begin("reply", 0);
    } else if (this.#awaited !== "request" || this.#since !== lastStream + progress) {
      this.#begin("request", lastStream + progress);
    }
  }

  #begin(awaited: Awaited, since: number): void {
    this.#awaited = awaited;
    this.#since = since;
    this.#wire.await(awaited);
  }
}
