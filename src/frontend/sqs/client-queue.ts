/** The queues that replies go to: one a client, named after the id that the client chose. */

declare const clientId: unique symbol;

/**
 * The `ClientID` of a message: new for each attempt of a client. It names the queue where the client finds its answer,
 * so neither it nor that queue's name or URL ever reaches a log, a metric or a page.
 */
export type ClientId = string & { readonly [clientId]: true };

/** What the name of each client's queue begins with. */
export const CLIENT_QUEUE_PREFIX = "snowflake-client-";

/** Whether the text fits into the name of a queue: letters, digits, `-` and `_`, at most 80 with the prefix. */
export function isClientId(text: string): text is ClientId {
  return /^[A-Za-z0-9_-]{1,63}$/.test(text);
}

/** The name of the queue where a client waits for its reply. */
export function clientQueueName(id: ClientId): string {
  return CLIENT_QUEUE_PREFIX + id;
}

/** Whether this is the URL of a client's queue: a URL ends in its queue's name. */
export function isClientQueueUrl(url: string): boolean {
  return url.slice(url.lastIndexOf("/") + 1).startsWith(CLIENT_QUEUE_PREFIX);
}
