/** One message of a client: what comes in goes to the broker, and its response to the client's own queue. */

import type { Clock } from "../../broker/clock.ts";
import type { Logger } from "../../log/logger.ts";
import { type Destination, exchange } from "../rendezvous.ts";
import { type ClientId, clientQueueName, isClientId } from "./client-queue.ts";
import { failureKind } from "./failure.ts";
import type { RecentMessages } from "./recent-messages.ts";
import type { ReceivedMessage, SqsApi } from "./sqs-api.ts";
import type { IgnoreReason, ReplyStep, SqsEvents } from "./sqs-events.ts";

export interface MessageHandlerParts {
  readonly api: SqsApi;
  readonly destination: Destination;
  readonly recent: RecentMessages;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: SqsEvents;
}

/** A client's message that is taken to the broker. */
interface ClientMessage {
  readonly clientId: ClientId;
  readonly body: Uint8Array;
}

/** The longest message that is looked at, in bytes: the protocol's limit for the same message over HTTP. */
const MESSAGE_LIMIT = 100_000;

/** Replies can fail by the thousand, for the same reason: one log line in this many ms. */
const COMPLAINT_INTERVAL = 60_000;

export class MessageHandler {
  readonly #parts: MessageHandlerParts;
  #complainAgainAt = -Infinity;

  constructor(parts: MessageHandlerParts) {
    this.#parts = parts;
  }

  /**
   * Does all there is to do for a message and deletes it from its queue, whatever became of it. Never rejects.
   *
   * The client's deadline ends the wait for an answer, not the reply: each call has a deadline of its own.
   */
  async handle(queueUrl: string, message: ReceivedMessage): Promise<void> {
    const { api, events, log } = this.#parts;
    events.received();
    const accepted = this.#accept(message);
    if (typeof accepted === "string") events.ignored(accepted);
    else {
      try {
        await this.#reply(accepted);
      } catch (error) {
        log.error("a message from SQS failed", { error: failureKind(error) });
      }
    }
    try {
      await api.deleteMessage(queueUrl, message.receipt);
    } catch (error) {
      events.deleteFailed();
      this.#complain("a message that is done with could not be deleted from SQS", error);
    }
  }

  #accept({ id, clientId, body }: ReceivedMessage): ClientMessage | IgnoreReason {
    const { recent, clock } = this.#parts;
    if (!recent.note(id, clock.now())) return "duplicate";
    if (clientId === undefined) return "no-client-id";
    if (!isClientId(clientId)) return "malformed-client-id";
    const bytes = new TextEncoder().encode(body);
    return bytes.length > MESSAGE_LIMIT ? "too-large" : { clientId, body: bytes };
  }

  async #reply({ clientId, body }: ClientMessage): Promise<void> {
    const { api, destination, events } = this.#parts;
    const failed = (step: ReplyStep, error: unknown) => {
      events.replyFailed(step);
      this.#complain("no reply could be sent through SQS", error, step);
    };

    // First of all, since the client looks for its queue while it waits.
    let replyUrl: string;
    try {
      replyUrl = await api.createQueue(clientQueueName(clientId));
    } catch (error) {
      failed("create-queue", error);
      return;
    }
    const response = await exchange(destination, body, {
      rendezvous: "sqs",
      address: undefined,
      // Nobody can tell when a client that waits at a queue has gone.
      gone: new AbortController().signal,
    });
    try {
      await api.send(replyUrl, response);
      events.replied();
    } catch (error) {
      failed("send", error);
    }
  }

  #complain(what: string, error: unknown, step?: ReplyStep): void {
    const now = this.#parts.clock.now();
    if (now < this.#complainAgainAt) return;
    this.#complainAgainAt = now + COMPLAINT_INTERVAL;
    this.#parts.log.warn(what, {
      error: failureKind(error),
      ...(step === undefined ? {} : { step }),
    });
  }
}
