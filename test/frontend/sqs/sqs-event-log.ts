/** What the rendezvous told of its work, counted. */

import type { IgnoreReason, ReplyStep, SqsEvents } from "../../../src/frontend/sqs/sqs-events.ts";

export class SqsEventLog implements SqsEvents {
  readonly counts: Record<string, number> = {};

  received(): void {
    this.#count("received");
  }

  ignored(reason: IgnoreReason): void {
    this.#count(reason);
  }

  replied(): void {
    this.#count("replied");
  }

  replyFailed(step: ReplyStep): void {
    this.#count(`${step} failed`);
  }

  deleteFailed(): void {
    this.#count("delete failed");
  }

  receiveFailed(): void {
    this.#count("receive failed");
  }

  queueCleaned(): void {
    this.#count("cleaned");
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
