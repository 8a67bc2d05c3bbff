/** Session ids: how an answer finds the client whose offer it answers. */

declare const sessionId: unique symbol;

/**
 * The `Sid` that a proxy chose for one poll. Whoever knows it may answer that poll's client, so it never reaches a
 * log, a metric or a page.
 */
export type SessionId = string & { readonly [sessionId]: true };

/** Any text but the empty one may be a session id. */
export function isSessionId(text: string): text is SessionId {
  return text !== "";
}
