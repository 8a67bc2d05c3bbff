/** Messages of one node: sealed on their way out, opened on their way in, and what can't be opened is counted. */

import type { Clock } from "../../broker/clock.ts";
import type { Logger } from "../../log/logger.ts";
import type { Codec } from "../socket/codec.ts";
import type { Bus } from "./bus.ts";
import type { ClusterEvents, IgnoreReason } from "./cluster-events.ts";
import type { Envelopes, Opened } from "./envelope.ts";
import { explainIgnored } from "./explain-ignored.ts";

/** Ignored messages are logged once in this time for each reason, in ms. */
const REPORT_INTERVAL = 60_000;

/** What is to be sealed. */
export interface Message<T> {
  readonly kind: number;
  readonly codec: Codec<T>;
  readonly value: T;
}

/** What came of a request. `unreadable`: a reply that was ignored. */
export type Reply =
  | { readonly kind: "reply"; readonly opened: Opened }
  | { readonly kind: "nobody" | "timed-out" | "lost" | "unreadable" };

/** Replies to a message, once. */
export type Answering = <T>(message: Message<T>) => void;

export interface MailParts {
  readonly bus: Bus;
  readonly envelopes: Envelopes;
  readonly clock: Clock;
  readonly events: Pick<ClusterEvents, "ignored">;
  /** What an operator has to mend. */
  readonly log: Pick<Logger, "warn">;
}

export class Mail {
  readonly #parts: MailParts;
  readonly #reportedAt = new Map<IgnoreReason, number>();

  constructor(parts: MailParts) {
    this.#parts = parts;
  }

  /** Calls the listener for what is opened. `answer` is given if its sender asks for a reply. */
  listen(subject: string, onMail: (opened: Opened, answer: Answering | undefined) => void): void {
    this.#parts.bus.subscribe(subject, (bytes, reply) => {
      const opened = this.#open(subject, bytes);
      if (opened === undefined) return;
      const answer: Answering = (message) =>
        reply?.(this.#seal(opened.replySubject, message).bytes);
      onMail(opened, reply === undefined ? undefined : answer);
    });
  }

  send<T>(subject: string, message: Message<T>): void {
    this.#parts.bus.publish(subject, this.#seal(subject, message).bytes);
  }

  /** Waits for the first reply, for `timeout` ms at most. Never rejects. */
  async request<T>(subject: string, message: Message<T>, timeout: number): Promise<Reply> {
    const { bus } = this.#parts;
    if (!bus.connected) return { kind: "lost" };
    const { bytes, replySubject } = this.#seal(subject, message);
    const reply = await bus.request(subject, bytes, timeout);
    if (reply.kind !== "reply") return reply;
    const opened = this.#open(replySubject, reply.payload);
    return opened === undefined ? { kind: "unreadable" } : { kind: "reply", opened };
  }

  /** Counts a message that is ignored. */
  ignore(reason: IgnoreReason): void {
    const { clock, events, log } = this.#parts;
    events.ignored(reason);
    const now = clock.now();
    if (now - (this.#reportedAt.get(reason) ?? -Infinity) < REPORT_INTERVAL) return;
    this.#reportedAt.set(reason, now);
    log.warn(explainIgnored(reason));
  }

  #seal<T>(subject: string, { kind, codec, value }: Message<T>) {
    return this.#parts.envelopes.seal(subject, kind, codec, value);
  }

  #open(subject: string, bytes: Buffer): Opened | undefined {
    const opened = this.#parts.envelopes.open(subject, bytes);
    if (opened.ok) return opened;
    this.ignore(opened.reason);
    return undefined;
  }
}
