/** What proxies of all kinds do alike: a poll, an answer, a channel. When they poll is up to their kind. */

import type { PollOutcome } from "../../broker/broker.ts";
import type { NatType } from "../../messages/nat-type.ts";
import { writeDescription } from "../../messages/session-description.ts";
import type { Random } from "../random.ts";
import { Connection, type Field, sessionId } from "./field.ts";
import type { ProxyTraits } from "./traits.ts";

/** ms after an answer at which a channel that did not open is given up: proxy/lib/snowflake.go, dataChannelTimeout. */
const CHANNEL_TIMEOUT = 20_000;

/** ms after which Go gives up a poll whose connection has died: proxy/lib/snowflake.go, ResponseHeaderTimeout. */
const RESPONSE_TIMEOUT = 30_000;

/** How long a proxy needs for its answer, in ms: at least, on average more, and at most. Observed: 0.3 to 4 s. */
const ANSWER_TIME = { least: 300, meanMore: 700, most: 4_000 } as const;

/** ms by which a message takes longer than others of the same peer, on average: an assumption. */
const JITTER = 5;

/** What every proxy in use sends: proxy/lib/snowflake.go, and config.js of snowflake-webext. */
const RELAY_PATTERN = "snowflake.torproject.net$";

/** The broker shows proxies' clients in steps (proxy/lib/snowflake.go, pollOffer; broker.js of snowflake-webext). */
const CLIENTS_STEP = 8;

/** What the broker replied to a poll; undefined: nothing. */
export type Reply = PollOutcome | undefined;

export abstract class Volunteer {
  readonly traits: ProxyTraits;
  protected readonly field: Field;
  protected readonly random: Random;
  #polls = 0;
  #slots = 0;
  #left = false;
  #connection: Connection | undefined;
  /** What it tells the broker of its NAT. */
  nat: NatType;

  constructor(field: Field, traits: ProxyTraits, random: Random) {
    this.field = field;
    this.traits = traits;
    this.random = random;
    this.nat = traits.nat;
  }

  /** Begins to poll, `delay` ms from now. */
  abstract begin(delay: number): void;

  /** Its poll has ended. After a match, `opened` or `failed` follows, or neither if the volunteer leaves. */
  protected abstract replied(reply: Reply): void;

  /** A match has ended before its channel opened. */
  protected abstract failed(): void;

  /** A channel has opened. */
  protected abstract opened(): void;

  /** A client has left, so there is room for another. */
  protected abstract released(): void;

  /** Clients, matches that may become clients, and a poll that waits. */
  protected get slots(): number {
    return this.#slots;
  }

  /** The volunteer ends it. Half of the time the broker does not notice that a waiting poll has nobody behind it. */
  leave(): void {
    this.#left = true;
    if (this.random.chance(0.5)) this.#connection?.close();
  }

  /** Calls back `delay` ms from now, unless it has left by then. */
  protected in(delay: number, callback: () => void): void {
    const { clock } = this.field;
    clock.callAt(clock.now() + delay, () => {
      if (!this.#left) callback();
    });
  }

  /** ms that the next message to the broker takes. */
  protected transit(): number {
    return this.traits.latency + this.random.exponential(JITTER);
  }

  /** Sends a poll, which arrives at the broker now. */
  protected poll(): void {
    const { broker, clock, tally } = this.field;
    const { nat } = this;
    const { id, type, address } = this.traits;
    this.#slots++;
    tally.pollSent(clock.now());
    const since = clock.now();
    const sid = sessionId(`${id}.${++this.#polls}`);
    const connection = new Connection();
    this.#connection = connection;
    const clients = Math.floor(this.#slots / CLIENTS_STEP) * CLIENTS_STEP;
    broker.poll({ sid, type, nat, clients, relayPattern: RELAY_PATTERN, address }, connection).then(
      (outcome) => this.#take(outcome, sid, since),
      () => this.#take(undefined, sid, since),
    );
  }

  #take(reply: Reply, sid: string, since: number): void {
    if (this.#left) return;
    const connection = this.#connection;
    this.#connection = undefined;
    if (reply?.kind !== "matched") {
      this.#slots--;
      this.in(this.transit(), () => this.replied(reply));
    } else if (this.random.chance(this.traits.death)) {
      if (this.random.chance(0.5)) this.in(2 * this.traits.latency, () => connection?.close());
      this.in(since + RESPONSE_TIMEOUT - this.field.clock.now(), () => {
        this.#slots--;
        this.replied(undefined);
      });
    } else {
      this.in(this.transit(), () => {
        this.replied(reply);
        this.#serve(sid);
      });
    }
  }

  #serve(sid: string): void {
    if (this.random.chance(this.traits.silence)) {
      this.in(CHANNEL_TIMEOUT, () => this.#fail());
      return;
    }
    const more = Math.min(
      this.random.exponential(ANSWER_TIME.meanMore),
      ANSWER_TIME.most - ANSWER_TIME.least,
    );
    this.in(ANSWER_TIME.least + more + this.transit(), () => this.#answer(sid));
  }

  #answer(sid: string): void {
    const { broker, clock, sessions, channels } = this.field;
    const answer = writeDescription(sid);
    let isOpen = false;
    sessions.set(answer, {
      traits: this.traits,
      open: (stay, onBroken) => {
        if (this.#left) return false;
        isOpen = true;
        sessions.delete(answer);
        giveUp();
        this.opened();
        const close = () => {
          stayed();
          channels.delete(breaks);
          if (!this.#left) this.#release();
        };
        const stayed = clock.callAt(clock.now() + stay, close);
        const breaks = () => {
          close();
          onBroken();
        };
        channels.add(breaks);
        return true;
      },
    });
    const giveUp = clock.callAt(clock.now() + CHANNEL_TIMEOUT, () => {
      sessions.delete(answer);
      if (!this.#left) this.#fail();
    });
    const end = () => {
      if (isOpen) return;
      giveUp();
      sessions.delete(answer);
      if (!this.#left) this.in(this.traits.latency, () => this.#fail());
    };
    broker.answer({ sid: sessionId(sid), answer }).then(({ kind }) => {
      if (kind === "client-gone") end();
    }, end);
  }

  #fail(): void {
    this.#release();
    this.failed();
  }

  #release(): void {
    this.#slots--;
    this.released();
  }
}
