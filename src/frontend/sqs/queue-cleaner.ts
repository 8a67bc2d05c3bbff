/** Deletes the queues of clients that have got their reply, or have gone without. */

import type { Clock } from "../../broker/clock.ts";
import type { Logger } from "../../log/logger.ts";
import { CLIENT_QUEUE_PREFIX, isClientQueueUrl } from "./client-queue.ts";
import { failureKind, failureText } from "./failure.ts";
import { pause } from "./pause.ts";
import { NO_SUCH_QUEUE, type QueuePage, type SqsApi } from "./sqs-api.ts";
import type { SqsEvents } from "./sqs-events.ts";

export interface QueueCleanerParts {
  readonly api: SqsApi;
  readonly clock: Clock;
  /** The time of day, in ms since 1970. */
  readonly timeOfDay: () => number;
  readonly log: Logger;
  readonly events: SqsEvents;
}

/** Time between two rounds, in ms. */
const CLEANING_INTERVAL = 30_000;

/** How long a client's queue is left alone, in ms. A client waits at it for less than two minutes. */
const STALE_AFTER = 120_000;

/** Queues that are looked at side by side. */
const WIDTH = 10;

export class QueueCleaner {
  readonly #parts: QueueCleanerParts;

  constructor(parts: QueueCleanerParts) {
    this.#parts = parts;
  }

  /** Cleans every 30 s until `stop` aborts, then resolves when the calls under way are over. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await pause(this.#parts.clock, CLEANING_INTERVAL, stop);
      await this.#cleanAll(stop);
    }
  }

  async #cleanAll(stop: AbortSignal): Promise<void> {
    let failures = 0;
    let lastFailure = "";
    for await (const urls of this.#pages(stop)) {
      const queues = urls.filter(isClientQueueUrl).values();
      const cleanInTurn = async () => {
        for (const url of queues) {
          if (stop.aborted) return;
          const failure = await this.#clean(url);
          if (failure === undefined) continue;
          failures += 1;
          lastFailure = failure;
        }
      };
      await Promise.all(Array.from({ length: WIDTH }, cleanInTurn));
    }
    if (failures > 0) {
      const { log } = this.#parts;
      log.warn("stale client queues could not be deleted from SQS", {
        queues: failures,
        error: lastFailure,
      });
    }
  }

  /** The queues there are, page by page, as far as they can be had. */
  async *#pages(stop: AbortSignal): AsyncGenerator<readonly string[]> {
    const { api, log } = this.#parts;
    let next: string | undefined;
    while (!stop.aborted) {
      let page: QueuePage;
      try {
        page = await api.listQueues(CLIENT_QUEUE_PREFIX, next);
      } catch (error) {
        log.warn("the client queues could not be listed by SQS", { error: failureText(error) });
        return;
      }
      yield page.urls;
      next = page.next;
      if (next === undefined) return;
    }
  }

  /** Deletes the queue if it is stale; resolves to what kind of failure there was, if any. */
  async #clean(url: string): Promise<string | undefined> {
    const { api, timeOfDay, events } = this.#parts;
    try {
      if (timeOfDay() - (await api.getLastModified(url)) <= STALE_AFTER) return undefined;
      await api.deleteQueue(url);
    } catch (error) {
      const kind = failureKind(error);
      // Another broker was faster, or an earlier round: deletion takes the service up to a minute.
      return kind === NO_SUCH_QUEUE ? undefined : kind;
    }
    events.queueCleaned();
    return undefined;
  }
}
