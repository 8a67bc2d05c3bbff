/** What the cluster tells of its work, so that others can count it. */

/**
 * What became of asking another node for a proxy. `given`: it gave the offer to one. `nobody`: it has none any more.
 * `node-gone`: nobody listens. `timed-out`: no reply in time. `lost`: the connection to NATS broke meanwhile. `malformed`:
 * the reply is none.
 */
export const ASK_OUTCOMES = [
  "given",
  "nobody",
  "node-gone",
  "timed-out",
  "lost",
  "malformed",
] as const;
export type AskOutcome = (typeof ASK_OUTCOMES)[number];

/**
 * Why a message was ignored. `too-large`, `malformed`: no node sends such. `other-version`: of a node with another version
 * of these messages. `forged`: not made with the secret of this cluster. `replayed`: it came before. `other-time`: the
 * clocks of the two nodes differ by more than a minute, or it is that old. `late`: its sender does not wait any more.
 * `too-many-nodes`: there is no room to remember another node.
 */
export const IGNORE_REASONS = [
  "too-large",
  "malformed",
  "other-version",
  "forged",
  "replayed",
  "other-time",
  "late",
  "too-many-nodes",
] as const;
export type IgnoreReason = (typeof IGNORE_REASONS)[number];

/** Told synchronously: count and return. */
export interface ClusterEvents {
  /** The connection to NATS is there or gone. */
  connected(isConnected: boolean): void;
  /** How many other nodes are known now. */
  nodes(others: number): void;
  /** Another node was asked for a proxy. */
  asked(outcome: AskOutcome): void;
  /** Another node asked for a proxy and got one, or not. */
  served(isGiven: boolean): void;
  /** A client here was answered by a proxy of another node, or had its outcome already when that answer came. */
  answered(isDelivered: boolean): void;
  /** An answer that nobody waits for here was sent to all nodes: whether one of them waited for it. */
  strayAnswer(isFound: boolean): void;
  ignored(reason: IgnoreReason): void;
}
