/** What the rendezvous through SQS tells of its work, so that others can count it. */

/**
 * Why a message got no exchange and no reply. `malformed-client-id`: it can't be part of a queue's name; `duplicate`:
 * the service delivered it before.
 */
export type IgnoreReason = "no-client-id" | "malformed-client-id" | "too-large" | "duplicate";

/** What of a reply failed: making the client's queue, so that there was no exchange, or sending. */
export type ReplyStep = "create-queue" | "send";

export interface SqsEvents {
  /** A message came. It is then ignored, replied to, or its reply fails. */
  received(): void;
  ignored(reason: IgnoreReason): void;
  replied(): void;
  replyFailed(step: ReplyStep): void;
  /** A message that was done with could not be deleted: it will be delivered once more. */
  deleteFailed(): void;
  /** A receive failed; the next one comes after a pause. */
  receiveFailed(): void;
  /** A stale client queue was deleted. */
  queueCleaned(): void;
}
