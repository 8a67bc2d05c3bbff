/** What a connection with many streams awaits from its peer. */

import type { Awaited, Wire } from "../wire.ts";

/** What a stream can keep us waiting for: the rest of a body, or that the peer takes a reply. */
export type Delay = Extract<Awaited, "body" | "unread">;

/**
 * The first of these that is true is awaited:
 * - `unread`: a reply waits for the peer to take it, even if bodies are incomplete or other streams wait for replies;
 * - `body`: a body is incomplete, even if other streams wait for their replies;
 * - `head`: the preface, a field block or a frame is incomplete;
 * - `reply`: a handler has not replied;
 * - `request`: none of these.
 *
 * The time for delays counts for all of both kinds that there were when it started. It starts again for the younger ones
 * when those have ended. So no byte renews it, and no delay gets more than twice the time.
 */
export class Awaiting {
  readonly #wire: Wire;
  /** What the wire knows to be awaited. Undefined: its time has stopped, so it is to be told. */
  #awaited: Awaited | undefined = "request";
  /** A number that changes when the time for a head or a request has to start again. */
  #since = 0;
  /** How many delays there are. */
  readonly #delays: Record<Delay, number> = { body: 0, unread: 0 };
  /** How many of them the time counts for. */
  #timed = 0;
  /** How often the time for delays has started. */
  #round = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** A stream keeps us waiting. Returns the round of this delay. */
  begins(delay: Delay): number {
    this.#delays[delay]++;
    return this.#round + 1;
  }

  /** A delay of this round has ended. */
  ends(delay: Delay, round: number): void {
    this.#delays[delay]--;
    if (this.isTimed(round)) this.#timed--;
  }

  /** Whether the time counts for the delays of this round. */
  isTimed(round: number): boolean {
    return this.#timesDelays && round <= this.#round;
  }

  /** The wire has stopped its time: the next `update` starts it again. */
  timeIsUp(): void {
    this.#awaited = undefined;
  }

  /**
   * Tells the wire what is awaited, if that has changed. `lastStream`: the last stream that the peer has opened.
   * `partial`: identifies the preface, block or frame that is incomplete; 0: none is. `replying`: whether a
   * handler has not replied. `progress`: grows with every frame of a reply.
   */
  update(lastStream: number, partial: number, replying: boolean, progress: number): void {
    const { body, unread } = this.#delays;
    if (body + unread > 0) {
      if (this.#timesDelays && this.#timed > 0) return;
      this.#timed = body + unread;
      this.#round++;
      this.#begin(unread > 0 ? "unread" : "body", 0);
    } else if (partial !== 0) {
      if (this.#awaited !== "head" || this.#since !== partial) this.#begin("head", partial);
    } else if (replying) {
      if (this.#awaited !== "reply") this.#begin("reply", 0);
    } else if (this.#awaited !== "request" || this.#since !== lastStream + progress) {
      this.#begin("request", lastStream + progress);
    }
  }

  get #timesDelays(): boolean {
    return this.#awaited === "body" || this.#awaited === "unread";
  }

  #begin(awaited: Awaited, since: number): void {
    this.#awaited = awaited;
    this.#since = since;
    this.#wire.await(awaited);
  }
}
