/** What one peer, or all together, may cost. */

/** The bounds that are counted when they strike. */
export const BOUNDS = [
  "head-size",
  "field-count",
  "body-size",
  "held-bytes",
  "unsent-bytes",
  "proxy-header",
  "handshake-time",
  "head-time",
  "body-time",
  "unread-time",
  "idle-time",
  "connections",
  "h2-streams",
  "h2-header-list",
  "h2-resets",
  "h2-control-frames",
  "h2-continuations",
  "h2-empty-frames",
] as const;

export type Bound = (typeof BOUNDS)[number];

/** Bytes of a request line with all header fields. Real ones have up to 8 KiB; with AMP the offer is in the line. */
export const HEAD_BYTES = 64 * 1024;

/** Header fields of one request. Browsers send about twenty. */
export const HEAD_FIELDS = 256;

/** Bytes of a body: the limit of the Snowflake protocol. */
export const BODY_BYTES = 100_000;

/** Bytes of several replies that wait for a peer that doesn't read. */
export const UNSENT_BYTES = 1024 * 1024;

/**
 * Bytes of unfinished requests that all connections may keep together. Beyond it, only those are cut off that keep more
 * than an equal part of it: real peers keep little, since nearly all requests come whole.
 */
export const KEPT_BYTES = 64 * 1024 * 1024;
