/** What the link may hold at once, so that no peer at its other end can exhaust a process. */

export interface LinkLimits {
  /** Bytes kept for a peer that does not read them; beyond that its connection is cut. */
  readonly kept: number;
  /**
   * Bytes of the calls that a frontend has under way: they may have to be sent, or sent again to the next core. As many
   * may be unsent. More calls are refused, as if there were no core.
   */
  readonly held: number;
  /** Calls of one connection that are under way at once; more fail. */
  readonly calls: number;
  /** Pages among them. */
  readonly pages: number;
  /** Frontends that are connected at once; more are refused. */
  readonly connections: number;
}

export const DEFAULT_LIMITS: LinkLimits = {
  kept: 64 * 1024 * 1024,
  // Less than is kept: all that is held can be sent at once to a core that comes back, whatever else has to be.
  held: 48 * 1024 * 1024,
  calls: 200_000,
  pages: 4,
  connections: 256,
};

/** How long either side waits for the other's hello, in ms. */
export const HELLO_DEADLINE = 5_000;
