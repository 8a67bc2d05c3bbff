/** A broker on a clock of its own, with shorthands for what its peers say. */

import { DEFAULT_BRIDGES } from "../../src/broker/bridge-list.ts";
import type { Offer, OfferOutcome, Poll, PollOutcome } from "../../src/broker/broker.ts";
import { LocalBroker, type LocalBrokerParts } from "../../src/broker/local-broker.ts";
import { DEFAULT_POLL_INTERVALS } from "../../src/broker/policy/poll-intervals.ts";
import { Address } from "../../src/messages/address.ts";
import { writeDescription } from "../../src/messages/session-description.ts";
import { isSessionId, type SessionId } from "../../src/messages/session-id.ts";
import { EventLog } from "./event-log.ts";
import { FakeClock } from "./fake-clock.ts";

export function sessionId(text: string): SessionId {
  if (!isSessionId(text)) throw new Error("a session id can't be empty");
  return text;
}

/** A promise whose outcome can be looked at without waiting. */
export class Watched<T> {
  outcome: T | undefined = undefined;
  readonly ended: Promise<T>;
  readonly #gone = new AbortController();

  constructor(start: (gone: AbortSignal) => Promise<T>) {
    this.ended = start(this.#gone.signal).then((outcome) => {
      this.outcome = outcome;
      return outcome;
    });
  }

  /** The peer's connection closes. */
  hangUp(): void {
    this.#gone.abort();
  }
}

export class TestBroker {
  readonly clock: FakeClock;
  readonly events = new EventLog();
  readonly broker: LocalBroker;
  #addresses = 0;

  /** `clock`: its own, unless several brokers share one. */
  constructor(parts: Partial<LocalBrokerParts> = {}, clock = new FakeClock()) {
    this.clock = clock;
    this.broker = new LocalBroker({
      clock: this.clock,
      events: this.events,
      bridges: DEFAULT_BRIDGES,
      pollIntervals: DEFAULT_POLL_INTERVALS,
      allowedRelayPattern: undefined,
      limits: { waitingProxies: 1000, clients: 1000, rateLimitEntries: 1000 },
      ipv6Prefix: 64,
      hashAddress: (address) => Bun.hash.crc32(address),
      ...parts,
    });
  }

  /** A proxy polls, from an address that nobody else has unless one is given. */
  poll(sid: string, poll: Partial<Poll> = {}): Watched<PollOutcome> {
    const address = new Address(`192.0.2.${this.#addresses++}`);
    return new Watched((gone) =>
      this.broker.poll(
        {
          sid: sessionId(sid),
          type: "standalone",
          nat: "unrestricted",
          clients: 0,
          relayPattern: "snowflake.torproject.net$",
          address,
          ...poll,
        },
        gone,
      ),
    );
  }

  /** A client offers. */
  offer(text: string, offer: Partial<Offer> = {}): Watched<OfferOutcome> {
    return new Watched((gone) =>
      this.broker.offer(
        {
          offer: writeDescription(text),
          nat: "unknown",
          fingerprint: undefined,
          address: undefined,
          rendezvous: "http",
          ...offer,
        },
        gone,
      ),
    );
  }

  /** A proxy answers; resolves to what it is told. */
  async answer(sid: string, answer: string): Promise<string> {
    const outcome = await this.broker.answer({
      sid: sessionId(sid),
      answer: writeDescription(answer),
    });
    return outcome.kind;
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}
