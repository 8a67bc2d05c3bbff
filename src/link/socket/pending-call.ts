/** A call of a frontend from its beginning to its outcome, whatever becomes of the core meanwhile. */

import type { DeadlineQueue, Expiring } from "../../broker/deadline-queue.ts";
import type { ByteReader } from "./byte-reader.ts";
import { type Call, type Codec, decodePayload } from "./codec.ts";

/** Sends a frame; false if it would be too long. */
export type Send = <T>(kind: number, id: number, codec: Codec<T>, value: T) => boolean;

/** How long calls of one sort wait. A call is in one of the queues, and moves once, from the first to the second. */
export interface CallDeadlines {
  /** Until there is a core. */
  readonly forCore: DeadlineQueue<PendingCall>;
  /** Until that core, or the next if it is lost, has an outcome. */
  readonly forOutcome: DeadlineQueue<PendingCall>;
  /** Whether that time begins when the call is made, or when there is a core. */
  readonly outcomeCountsFrom: "arrival" | "core";
}

/** What a call asks, and what it comes to where no core says. */
export interface Question<Request, Part, Outcome> {
  readonly call: Call<Request, Part>;
  readonly request: Request;
  readonly deadlines: CallDeadlines;
  /** There was no core in time, or it could not do it. */
  readonly unserved: Outcome;
  /** A core had it, and was lost or fell silent. */
  readonly lost: Outcome;
  /** Makes an outcome of the frames of one; undefined: there are more to come. */
  readonly collect: (part: Part) => Outcome | undefined;
  /**
   * How it is asked again when the core that had it is lost: `waited` are the whole ms since then. Without this it is
   * not, but comes to `lost`. Undefined: not worth while any more.
   */
  readonly again?: (waited: number) => Request | undefined;
}

/** What a frame did to its call. */
export type Received = "outcome" | "more" | "malformed";

export abstract class PendingCall implements Expiring<PendingCall> {
  /** What ties its frames together. */
  readonly id: number;
  readonly kind: number;
  /** Bytes of the frame that asks it. */
  readonly size: number;
  readonly deadlines: CallDeadlines;
  /** Nobody waits for the outcome any more. */
  withdrawn = false;
  #atCore = false;
  /** When a core first had it, in ms of the clock. */
  #since: number | undefined;
  /** When it was made, if there was no core then. */
  #came: number | undefined;
  #queue: DeadlineQueue<PendingCall> | undefined;

  deadline = 0;
  earlier: PendingCall | undefined = undefined;
  later: PendingCall | undefined = undefined;

  constructor(id: number, kind: number, size: number, deadlines: CallDeadlines) {
    this.id = id;
    this.kind = kind;
    this.size = size;
    this.deadlines = deadlines;
  }

  /** Whether a core has it now. */
  get atCore(): boolean {
    return this.#atCore;
  }

  /** Whether it stays when the core that has it is lost. */
  protected abstract get canBeAskedAgain(): boolean;

  /** Sends it; `waited`: ms since a core had it first, undefined if none has. False: it can't be sent. */
  protected abstract send(send: Send, waited: number | undefined): boolean;

  /** Takes a frame of its outcome, and settles with the last. */
  abstract receive(payload: ByteReader): Received;

  /** Settles a call that no core has had, or could do. */
  abstract settleUnserved(): void;

  /** Settles a call that the core will say no more of. */
  abstract settleLost(): void;

  /** There is no core: it waits for one. */
  awaitCore(now: number): void {
    this.#came = now;
    this.#moveTo(this.deadlines.forCore, now);
  }

  /** There is a core: it is told. False: the call can't be sent, and has to be settled. */
  register(send: Send, now: number): boolean {
    const since = this.#since;
    if (since === undefined) {
      this.#since = now;
      const { forOutcome, outcomeCountsFrom } = this.deadlines;
      this.#moveTo(forOutcome, outcomeCountsFrom === "arrival" ? (this.#came ?? now) : now);
    }
    this.#atCore = this.send(send, since === undefined ? undefined : now - since);
    return this.#atCore;
  }

  /** The core is lost. False: it does not survive that, and has to be settled. */
  loseCore(): boolean {
    const wasThere = this.#atCore;
    this.#atCore = false;
    return !wasThere || (this.canBeAskedAgain && !this.withdrawn);
  }

  /** It waits no longer. */
  leaveQueue(): void {
    this.#queue?.remove(this);
    this.#queue = undefined;
  }

  #moveTo(queue: DeadlineQueue<PendingCall>, now: number): void {
    this.leaveQueue();
    this.#queue = queue;
    queue.add(this, now);
  }
}

export class Asked<Request, Part, Outcome> extends PendingCall {
  readonly #question: Question<Request, Part, Outcome>;
  readonly #settle: (outcome: Outcome) => void;

  constructor(
    id: number,
    size: number,
    question: Question<Request, Part, Outcome>,
    settle: (outcome: Outcome) => void,
  ) {
    super(id, question.call.kind, size, question.deadlines);
    this.#question = question;
    this.#settle = settle;
  }

  protected override get canBeAskedAgain(): boolean {
    return this.#question.again !== undefined;
  }

  protected override send(send: Send, waited: number | undefined): boolean {
    const { call, request, again } = this.#question;
    const asked = waited === undefined ? request : again?.(Math.round(waited));
    return asked !== undefined && send(call.kind, this.id, call.request, asked);
  }

  override receive(payload: ByteReader): Received {
    const { call, collect } = this.#question;
    const part = decodePayload(call.outcome, payload);
    if (part === undefined) return "malformed";
    const outcome = collect(part);
    if (outcome === undefined) return "more";
    this.#settle(outcome);
    return "outcome";
  }

  override settleUnserved(): void {
    this.#settle(this.#question.unserved);
  }

  override settleLost(): void {
    this.#settle(this.#question.lost);
  }
}
