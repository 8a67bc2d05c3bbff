/** The broker as its peers reach it: now and then it is another one. */

import type {
  AnswerOutcome,
  Broker,
  Departure,
  Offer,
  OfferOutcome,
  Poll,
  PollOutcome,
  SessionCounts,
} from "../broker/broker.ts";
import type { Clock } from "../broker/clock.ts";
import type { LocalBroker } from "../broker/local-broker.ts";
import type { ProxyAnswer } from "../messages/proxy-answer.ts";

/** Calls reject while there is no broker, as requests fail while nobody listens. */
export class RestartingBroker implements Broker {
  readonly #clock: Clock;
  readonly #make: () => LocalBroker;
  #broker: LocalBroker | undefined;

  constructor(clock: Clock, make: () => LocalBroker) {
    this.#clock = clock;
    this.#make = make;
    this.#broker = make();
  }

  /**
   * Ends the broker as SIGTERM does: it drains, and then nobody listens. After `pause` ms there is another, which
   * remembers nothing.
   */
  async restart(pause: number): Promise<void> {
    await this.#broker?.drain();
    this.#broker = undefined;
    this.#clock.callAt(this.#clock.now() + pause, () => (this.#broker = this.#make()));
  }

  poll(poll: Poll, gone: Departure): Promise<PollOutcome> {
    return this.#reach((broker) => broker.poll(poll, gone));
  }

  offer(offer: Offer, gone: Departure): Promise<OfferOutcome> {
    return this.#reach((broker) => broker.offer(offer, gone));
  }

  answer(answer: ProxyAnswer): Promise<AnswerOutcome> {
    return this.#reach((broker) => broker.answer(answer));
  }

  sessions(): Promise<SessionCounts> {
    return this.#reach((broker) => broker.sessions());
  }

  /** What does not hold of the broker that runs now. */
  consistencyCheck(): string[] {
    return this.#broker?.consistencyCheck() ?? [];
  }

  #reach<T>(call: (broker: LocalBroker) => Promise<T>): Promise<T> {
    const broker = this.#broker;
    return broker === undefined ? Promise.reject(new Error("nobody listens")) : call(broker);
  }
}
