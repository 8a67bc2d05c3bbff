/** How often a peer may do what has a cost but no use. */

import type { Bound } from "../limits.ts";

/** The bounds on such things. */
export type Allowed = Extract<Bound, "h2-resets" | "h2-control-frames" | "h2-empty-frames">;

interface Allowance {
  /** The most that a peer can have left. It starts with this. */
  readonly most: number;
  /** How many each answered request gives back. */
  readonly perReply: number;
}

/**
 * There is no clock: only useful work gives back what was used. A connection in use can live for days and never runs
 * out. An unused one is closed after 620 s, before an honest peer has run out.
 */
export const ALLOWANCES: Readonly<Record<Allowed, Allowance>> = {
  // Streams that are reset before their reply, by the peer or because of its error. A front whose clients leave may
  // reset all its 250 streams at once, several times. In the long run four of five requests may be reset.
  "h2-resets": { most: 1000, perReply: 4 },
  // SETTINGS, PING, PRIORITY, WINDOW_UPDATE, GOAWAY, unknown frames, and RST_STREAM of closed streams. Honest peers
  // send at most one PING a second, and a few WINDOW_UPDATE for each reply.
  "h2-control-frames": { most: 2000, perReply: 20 },
  // DATA without data and without END_STREAM. Some peers send one before they notice that a body has ended.
  "h2-empty-frames": { most: 200, perReply: 2 },
};

/**
 * Bytes of replies that give back one control frame. A peer with windows of 1 KiB sends a WINDOW_UPDATE for the stream and
 * one for the connection with every 512 bytes, however small the frames are that bring them.
 */
const BYTES_PER_CONTROL_FRAME = 256;

/** What one connection has left. */
export class Allowances {
  #resets = ALLOWANCES["h2-resets"].most;
  #controlFrames = ALLOWANCES["h2-control-frames"].most;
  #emptyFrames = ALLOWANCES["h2-empty-frames"].most;
  /** Bytes of replies that have not given back anything. */
  #sentBytes = 0;

  /** Uses one. False: none was left. */
  spend(allowed: Allowed): boolean {
    switch (allowed) {
      case "h2-resets":
        return --this.#resets >= 0;
      case "h2-control-frames":
        return --this.#controlFrames >= 0;
      case "h2-empty-frames":
        return --this.#emptyFrames >= 0;
    }
  }

  /** A request has been answered. */
  answered(): void {
    this.#resets = refill("h2-resets", this.#resets);
    this.#controlFrames = refill("h2-control-frames", this.#controlFrames);
    this.#emptyFrames = refill("h2-empty-frames", this.#emptyFrames);
  }

  /** So many bytes of a reply have been sent. */
  sent(bytes: number): void {
    this.#sentBytes += bytes;
    if (this.#sentBytes < BYTES_PER_CONTROL_FRAME) return;
    const more = Math.floor(this.#sentBytes / BYTES_PER_CONTROL_FRAME);
    this.#sentBytes %= BYTES_PER_CONTROL_FRAME;
    this.#controlFrames = refill("h2-control-frames", this.#controlFrames, more);
  }
}

function refill(allowed: Allowed, left: number, more = ALLOWANCES[allowed].perReply): number {
  return Math.min(ALLOWANCES[allowed].most, left + more);
}
