/** The frontend's end of the link: a `Broker` that is in another process. */

import type {
  AnswerOutcome,
  Broker,
  Departure,
  Offer,
  OfferOutcome,
  Poll,
  PollOutcome,
  SessionCounts,
} from "../../broker/broker.ts";
import type { Clock } from "../../broker/clock.ts";
import { DeadlineQueue } from "../../broker/deadline-queue.ts";
import {
  CLIENT_DEADLINE,
  LONGEST_PROXY_WAIT,
  PROXY_DEADLINE,
} from "../../broker/policy/matching-policy.ts";
import { POOL_OF_PROXY } from "../../broker/policy/nat-classes.ts";
import { DEFAULT_POLL_INTERVALS } from "../../broker/policy/poll-intervals.ts";
import type { ProxyAnswer } from "../../messages/proxy-answer.ts";
import { ANSWER_CALL, noSessions, OFFER_CALL, POLL_CALL, SESSIONS_CALL } from "./broker-calls.ts";
import type { ByteReader } from "./byte-reader.ts";
import { decodePayload, NO_PAYLOAD } from "./codec.ts";
import { CoreConnection } from "./core-connection.ts";
import { COUNT, type Count } from "./counts.ts";
import { FRAME_KIND, frameLength } from "./frame.ts";
import { INTERVALS } from "./intervals.ts";
import { DEFAULT_LIMITS, type LinkLimits } from "./limits.ts";
import { PAGE_CALL, type PageOutcome, PageParts } from "./pages.ts";
import { Asked, type CallDeadlines, type PendingCall, type Question } from "./pending-call.ts";

export interface SocketBrokerParts {
  /** Where the core's socket is. */
  readonly path: string;
  readonly clock: Clock;
  /** A number from 0 up to 1, to spread attempts to reconnect. */
  readonly random: () => number;
  /** What an operator may want to know. */
  readonly report: (message: string) => void;
  readonly limits?: Partial<Pick<LinkLimits, "kept" | "held" | "calls">>;
}

/**
 * How long an offer waits for a core, in ms: longer than a core takes to stop and the next to start. Together with the
 * time that it then waits for an answer it is less than clients' patience of 15 s.
 */
const OFFER_PATIENCE = 5_000;

/** How long anything else but a poll does: as long as a quick restart takes. */
const PATIENCE = 1_000;

/** How much longer than the core a frontend waits until it takes the core for dead, in ms. */
const MARGIN = 1_000;

const DENIED: OfferOutcome = { kind: "denied" };
const CLIENT_GONE: AnswerOutcome = { kind: "client-gone" };

/** For outcomes that come in one frame: all but pages. */
const asItIs = <Outcome>(outcome: Outcome): Outcome => outcome;

/**
 * Asks a core over a unix socket, which it connects to again whenever the connection is lost.
 *
 * Polls and offers that waited at a core that is gone are asked of the next one; an offer may so be given to a second
 * proxy, and what the first one answers finds nobody. Everything else that was under way comes to its worst outcome at
 * once. What is asked while there is no core waits for one: a poll as long as it waits for a client in a pool in surplus,
 * an offer for 5 s, the rest for a second. Every promise settles, even if the core falls silent: a poll within 29 s of
 * its arrival, which is less than proxies' patience of 30 s, an offer within 11 s, everything else within 7 s.
 */
export class SocketBroker implements Broker {
  readonly #clock: Clock;
  readonly #core: CoreConnection;
  readonly #maxCalls: number;
  readonly #maxHeld: number;
  /** Oldest first, so that polls are registered again in the order they came. */
  readonly #calls = new Map<number, PendingCall>();
  /** Bytes of their frames. */
  #held = 0;
  /** Pages on their way, by name. */
  readonly #pages = new Map<string, Promise<PageOutcome>>();
  readonly #pollDeadlines: CallDeadlines;
  readonly #offerDeadlines: CallDeadlines;
  readonly #otherDeadlines: CallDeadlines;
  /** In force at the core of last time. */
  #intervals = DEFAULT_POLL_INTERVALS;
  #lastId = 0;
  #draining = false;
  #onDrained: (() => void) | undefined;

  /** Begins to connect at once. */
  constructor({ path, clock, random, report, limits }: SocketBrokerParts) {
    const { kept, held, calls } = { ...DEFAULT_LIMITS, ...limits };
    this.#clock = clock;
    this.#maxCalls = calls;
    this.#maxHeld = held;
    this.#pollDeadlines = this.#deadlines(PROXY_DEADLINE, LONGEST_PROXY_WAIT + MARGIN, "arrival");
    this.#offerDeadlines = this.#deadlines(OFFER_PATIENCE, CLIENT_DEADLINE + MARGIN);
    this.#otherDeadlines = this.#deadlines(PATIENCE, CLIENT_DEADLINE + MARGIN);
    this.#core = new CoreConnection({
      path,
      clock,
      random,
      maxKept: kept,
      report,
      onReady: () => {
        // Polls come first, so that offers find them.
        const pending = [...this.#calls.values()];
        for (const call of pending) if (this.#isPoll(call)) this.#register(call);
        for (const call of pending) if (!this.#isPoll(call)) this.#register(call);
      },
      onLost: () => {
        for (const call of this.#calls.values()) {
          if (!call.loseCore()) this.#end(call, "lost");
        }
      },
      onFrame: (kind, id, payload) => this.#onFrame(kind, id, payload),
    });
  }

  /** Whether there is a core to ask. */
  get connected(): boolean {
    return this.#core.ready;
  }

  async poll(poll: Poll, gone: Departure): Promise<PollOutcome> {
    const idle = this.#idle(poll);
    if (this.#draining) return idle;
    return this.#ask(
      {
        call: POLL_CALL,
        request: poll,
        deadlines: this.#pollDeadlines,
        unserved: idle,
        lost: idle,
        collect: asItIs,
        again: (waited) => (waited < LONGEST_PROXY_WAIT ? { ...poll, waited } : undefined),
      },
      gone,
    );
  }

  async offer(offer: Offer, gone: Departure): Promise<OfferOutcome> {
    if (this.#draining) return DENIED;
    return this.#ask(
      {
        call: OFFER_CALL,
        request: offer,
        deadlines: this.#offerDeadlines,
        unserved: DENIED,
        lost: { kind: "timed-out" },
        collect: asItIs,
        again: () => offer,
      },
      gone,
    );
  }

  async answer(answer: ProxyAnswer): Promise<AnswerOutcome> {
    return this.#ask({
      call: ANSWER_CALL,
      request: answer,
      deadlines: this.#otherDeadlines,
      unserved: CLIENT_GONE,
      lost: CLIENT_GONE,
      collect: asItIs,
    });
  }

  /** The sessions of the core, those of all its frontends; none if there is no core. */
  async sessions(): Promise<SessionCounts> {
    return this.#ask({
      call: SESSIONS_CALL,
      request: null,
      deadlines: this.#otherDeadlines,
      unserved: noSessions(),
      lost: noSessions(),
      collect: asItIs,
    });
  }

  /**
   * A text that the core makes, such as the figures for Prometheus. Those who ask while it is on its way share it: the
   * core makes only a few at once, and scrapers beyond that would go without.
   */
  page(name: string): Promise<PageOutcome> {
    const shared = this.#pages.get(name);
    if (shared !== undefined) return shared;
    const page = this.#askForPage(name).finally(() => this.#pages.delete(name));
    this.#pages.set(name, page);
    return page;
  }

  async #askForPage(name: string): Promise<PageOutcome> {
    const parts = new PageParts();
    return this.#ask({
      call: PAGE_CALL,
      request: name,
      deadlines: this.#otherDeadlines,
      unserved: { kind: "unavailable" },
      lost: { kind: "unavailable" },
      collect: (part) => parts.take(part),
    });
  }

  /** Has the core count something. While there is none, nothing is counted: a new one begins at 0 anyway. */
  count(count: Count): void {
    if (this.#core.ready) this.#core.send(FRAME_KIND.count, 0, COUNT, count);
  }

  /**
   * Sends every waiting proxy home and lets none wait any more. Resolves when nothing is under way any more: within 6 s,
   * or 11 s if the core has fallen silent.
   */
  drain(): Promise<void> {
    this.#draining = true;
    for (const call of this.#calls.values()) {
      if (this.#isPoll(call)) this.#withdraw(call);
    }
    return new Promise((resolve) => {
      if (this.#calls.size === 0) resolve();
      else this.#onDrained = resolve;
    });
  }

  /** Closes the connection for good. Whatever is under way comes to its worst outcome. */
  close(): void {
    this.#draining = true;
    this.#core.close();
    for (const call of this.#calls.values()) this.#end(call, call.atCore ? "lost" : "unserved");
  }

  /**
   * What a proxy is told where no core says. Its interval is the one in force: with 0, Go proxies would come back after
   * 5 s, so with more load just when there is trouble.
   */
  #idle({ nat }: Poll): PollOutcome {
    return { kind: "idle", nextPoll: this.#intervals[POOL_OF_PROXY[nat]] };
  }

  #isPoll(call: PendingCall): boolean {
    return call.deadlines === this.#pollDeadlines;
  }

  #deadlines(
    forCore: number,
    forOutcome: number,
    outcomeCountsFrom: CallDeadlines["outcomeCountsFrom"] = "core",
  ): CallDeadlines {
    return {
      outcomeCountsFrom,
      forCore: new DeadlineQueue(this.#clock, forCore, (call) => this.#end(call, "unserved")),
      forOutcome: new DeadlineQueue(this.#clock, forOutcome, (call) => {
        if (call.atCore) this.#cancel(call);
        this.#end(call, "lost");
      }),
    };
  }

  #ask<Request, Part, Outcome>(
    question: Question<Request, Part, Outcome>,
    gone?: Departure,
  ): Outcome | Promise<Outcome> {
    if (gone?.aborted === true) return question.lost;
    const size = frameLength(question.call.request, question.request);
    if (!this.#hasRoomFor(size)) return question.unserved;
    return new Promise((resolve) => {
      const call = new Asked(this.#freeId(), size, question, resolve);
      this.#calls.set(call.id, call);
      this.#held += size;
      if (this.#core.ready) this.#register(call);
      else call.awaitCore(this.#clock.now());
      gone?.addEventListener("abort", () => {
        if (this.#calls.get(call.id) === call) this.#withdraw(call);
      });
    });
  }

  /** Calls that have ended may be unsent still, so both are asked. */
  #hasRoomFor(size: number): boolean {
    const bytes = size + Math.max(this.#held, this.#core.unsent);
    return this.#calls.size < this.#maxCalls && bytes <= this.#maxHeld;
  }

  /** An id that no call has; 0 belongs to frames of no call. */
  #freeId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#lastId === 0 || this.#calls.has(this.#lastId));
    return this.#lastId;
  }

  #register(call: PendingCall): void {
    const sent = call.register(
      (kind, id, codec, value) => this.#core.send(kind, id, codec, value),
      this.#clock.now(),
    );
    if (!sent) this.#end(call, "unserved");
  }

  /** Nobody waits for the outcome any more. If a core has the call the outcome comes nonetheless, and soon. */
  #withdraw(call: PendingCall): void {
    call.withdrawn = true;
    if (call.atCore) this.#cancel(call);
    else this.#end(call, "lost");
  }

  #cancel(call: PendingCall): void {
    this.#core.send(FRAME_KIND.cancel, call.id, NO_PAYLOAD, null);
  }

  #onFrame(kind: number, id: number, payload: ByteReader): boolean {
    if (kind === FRAME_KIND.intervals) {
      const intervals = decodePayload(INTERVALS, payload);
      this.#intervals = intervals ?? this.#intervals;
      return intervals !== undefined;
    }
    const call = this.#calls.get(id);
    // The outcome of a call that was not waited for any longer.
    if (call === undefined) return true;
    if (kind === FRAME_KIND.failed) {
      this.#end(call, "unserved");
      return true;
    }
    const received = call.kind === kind ? call.receive(payload) : "malformed";
    if (received === "outcome") this.#forget(call);
    return received !== "malformed";
  }

  #end(call: PendingCall, how: "unserved" | "lost"): void {
    this.#forget(call);
    if (how === "lost") call.settleLost();
    else call.settleUnserved();
  }

  #forget(call: PendingCall): void {
    call.leaveQueue();
    if (this.#calls.delete(call.id)) this.#held -= call.size;
    if (this.#calls.size === 0) this.#onDrained?.();
  }
}
