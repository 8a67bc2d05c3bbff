/** The loop that takes messages from the queue that clients write to. */

import type { Clock } from "../../broker/clock.ts";
import type { Logger } from "../../log/logger.ts";
import { BackOff } from "./back-off.ts";
import { failureKind, failureText } from "./failure.ts";
import { pause } from "./pause.ts";
import { NO_SUCH_QUEUE, RECEIVE_BATCH, type ReceivedMessage, type SqsApi } from "./sqs-api.ts";
import type { SqsEvents } from "./sqs-events.ts";

export interface QueueListenerParts {
  readonly api: SqsApi;
  readonly queueName: string;
  /** Handles a message; settles within a bounded time and never rejects. */
  readonly handle: (queueUrl: string, message: ReceivedMessage) => Promise<void>;
  /** How many messages may be in hand at once. */
  readonly maxInHand: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly events: SqsEvents;
}

/** How long a message waits for a broker before the service drops it, in seconds. */
const MESSAGE_RETENTION = 300;

export class QueueListener {
  readonly #parts: QueueListenerParts;
  readonly #backOff: BackOff;
  readonly #inHand = new Set<Promise<void>>();
  #onRoom: () => void = () => {};
  #queueUrl = "";
  /** The kinds of failure that were logged since it last worked. */
  readonly #logged = new Set<string>();

  constructor(parts: QueueListenerParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(parts.random);
  }

  /** Makes the queue unless it is there; resolves to its URL. To be called before `run`. Rejects if it can't be had. */
  async open(): Promise<string> {
    this.#queueUrl = await this.#parts.api.createQueue(this.#parts.queueName, MESSAGE_RETENTION);
    return this.#queueUrl;
  }

  /**
   * Takes messages until `stop` aborts, then resolves when the last one in hand is done with.
   *
   * No more is asked for than there is room for, so nothing is taken that has to wait here. The receive that is under
   * way is cut off by `stop`. What it has already brought is handled like any other message, while what the service
   * was just about to hand out comes to light again after the queue's visibility timeout.
   */
  async run(stop: AbortSignal): Promise<void> {
    const { maxInHand, handle } = this.#parts;
    while (!stop.aborted) {
      const room = maxInHand - this.#inHand.size;
      if (room <= 0) {
        await this.#untilRoom();
        continue;
      }
      for (const message of await this.#receive(Math.min(room, RECEIVE_BATCH), stop)) {
        const handling = handle(this.#queueUrl, message).finally(() => {
          this.#inHand.delete(handling);
          this.#onRoom();
        });
        this.#inHand.add(handling);
      }
    }
    await Promise.all(this.#inHand);
  }

  #untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** Receives once. Failures are counted and followed by a pause, each in a row by a longer one. */
  async #receive(most: number, stop: AbortSignal): Promise<readonly ReceivedMessage[]> {
    const { api, clock, events } = this.#parts;
    try {
      const messages = await api.receive(this.#queueUrl, most, stop);
      this.#onWorking();
      return messages;
    } catch (error) {
      if (stop.aborted) return [];
      events.receiveFailed();
      this.#logOnce("receiving from SQS fails; trying again every 30 s or sooner", error);
      await pause(clock, this.#backOff.next(), stop);
      if (!stop.aborted && error instanceof Error && error.name === NO_SUCH_QUEUE) {
        await this.#openAgain();
      }
      return [];
    }
  }

  /** Somebody deleted the queue, and nobody else would make it again. If that fails, the next receive does, too. */
  async #openAgain(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      this.#logOnce("the SQS queue is gone and can't be made again", error);
    }
  }

  #onWorking(): void {
    this.#backOff.reset();
    if (this.#logged.size === 0) return;
    this.#logged.clear();
    this.#parts.log.info("receiving from SQS again", { queue: this.#parts.queueName });
  }

  #logOnce(what: string, error: unknown): void {
    const { log, queueName } = this.#parts;
    const kind = failureKind(error);
    if (this.#logged.has(kind)) return;
    this.#logged.add(kind);
    log.warn(what, { queue: queueName, error: failureText(error) });
  }
}
