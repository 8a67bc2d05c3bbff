/** Session ids: how an answer finds the client whose offer it answers. */

declare const sessionId: unique symbol;

/**
 * The `Sid` that a proxy chose for one poll. Whoever knows it may answer that poll's client, so it never reaches a
 * log, a metric or a page.
 */
export type SessionId = string & { readonly [sessionId]: true };

/**
 * The longest session id, in UTF-16 units. Real peers send 11 to 22 characters; without a bound a proxy that waits could
 * hold 100 kB.
 */
export const LONGEST_SESSION_ID = 256;

/** Any text may be a session id but the empty one and one that is too long. */
export function isSessionId(text: string): text is SessionId {
  return text !== "" && text.length <= LONGEST_SESSION_ID;
}
