/** What the rendezvous needs of Amazon SQS, in its own words, so that everything but the client is free of the SDK. */

/** A message of the queue that clients write to. */
export interface ReceivedMessage {
  /** The same each time the service delivers this message. */
  readonly id: string;
  /** What this delivery is deleted by. */
  readonly receipt: string;
  /** The message attribute `ClientID`, whatever the client wrote there; undefined if it is missing. */
  readonly clientId: string | undefined;
  /** Empty if the message has none. */
  readonly body: string;
}

/** Some of the queues that were asked for, and where to go on, if there are more. */
export interface QueuePage {
  readonly urls: readonly string[];
  readonly next: string | undefined;
}

/** The most messages that one receive can bring. */
export const RECEIVE_BATCH = 10;

/** How long a receive waits for a message, in seconds. */
export const RECEIVE_WAIT = 15;

/**
 * How long any call may take altogether, in ms; a receive has its wait on top. A message is so handled within four
 * times this, one of them for the exchange itself, which is less than the 30 s after which the service delivers it
 * once more.
 */
export const CALL_DEADLINE = 5_000;

/**
 * Calls of the service. Each settles within its deadline; it rejects with the service's error, whose `name` is the
 * service's word for it, with the system's if the service can't be reached, or with `CallTimeout`.
 */
export interface SqsApi {
  /** Makes the queue unless it is there; resolves to its URL. `retention`: seconds that messages are kept. */
  createQueue(name: string, retention?: number): Promise<string>;
  /** Waits for messages, and takes up to `most` of them, 1 to 10; rejects at once when `stop` aborts. */
  receive(queueUrl: string, most: number, stop: AbortSignal): Promise<readonly ReceivedMessage[]>;
  send(queueUrl: string, body: string): Promise<void>;
  deleteMessage(queueUrl: string, receipt: string): Promise<void>;
  /** One page of the queues whose name begins so; `next` as the page before gave it. */
  listQueues(prefix: string, next: string | undefined): Promise<QueuePage>;
  /** When the queue was last changed, in ms since 1970. */
  getLastModified(queueUrl: string): Promise<number>;
  deleteQueue(queueUrl: string): Promise<void>;
  /** Closes the connections; no call may follow. */
  close(): void;
}

/** The service's word for a queue that isn't there. */
export const NO_SUCH_QUEUE = "QueueDoesNotExist";
