/** Peers of a broker in virtual time: proxies that obey NextPoll, and clients that come as they like. */

import type { LocalBrokerParts } from "../../../src/broker/local-broker.ts";
import { Address } from "../../../src/messages/address.ts";
import type { NatType } from "../../../src/messages/nat-type.ts";
import { Random } from "../../kit/random.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

/** Steps of the clock, in ms. Peers are told their outcomes this much late at most. */
const STEP = 100;

/** Ms that a request and a response take together. */
const ROUND_TRIP = 50;

export interface ProxyHabits {
  readonly nat?: NatType;
  /** Ms until it answers; undefined: it never does. */
  readonly answersAfter?: number | undefined;
}

export class Crowd {
  readonly t: TestBroker;
  readonly random: Random;
  /** What happens at which step. */
  readonly #agenda = new Map<number, (() => void)[]>();
  readonly counts = { polls: 0, tooSoon: 0, offers: 0, answered: 0, denied: 0, timedOut: 0 };
  /** Ms that answered clients waited. */
  readonly waits: number[] = [];
  #names = 0;

  constructor(parts: Partial<LocalBrokerParts>, seed = 1) {
    const limits = { waitingProxies: 100_000, clients: 20_000, rateLimitEntries: 100_000 };
    this.t = new TestBroker({ limits, ...parts });
    this.random = new Random(seed);
  }

  /** Proxies that come within 20 s, as after a restart, each from an address of its own, and stay. */
  addProxies(number: number, habits: ProxyHabits = {}): void {
    for (let n = 0; n < number; n++) {
      const host = this.#names++;
      const address = new Address(`198.51.${host >> 8}.${host & 0xff}`);
      this.#in(20_000 * this.random.next(), () => this.#poll(address, habits));
    }
  }

  /** Lets `seconds` pass, in which `rate` clients a second come. `look` is called after every second. */
  async pass(seconds: number, rate: number, look?: () => void): Promise<void> {
    const { clock } = this.t;
    const end = clock.now() + 1000 * seconds;
    let next = clock.now() + this.#interval(rate);
    while (clock.now() < end) {
      clock.advance(STEP);
      await settle();
      const due = this.#agenda.get(clock.now()) ?? [];
      this.#agenda.delete(clock.now());
      for (const act of due) act();
      for (; next <= clock.now(); next += this.#interval(rate)) this.#offer();
      await settle();
      if (clock.now() % 1000 === 0) look?.();
    }
  }

  #poll(address: Address, habits: ProxyHabits): void {
    const { nat = "unrestricted", answersAfter } = habits;
    const sid = `p${this.#names++}`;
    const watched = this.t.poll(sid, { nat, address });
    this.counts.polls++;
    void watched.ended.then((outcome) => {
      if (outcome.kind === "too-soon") this.counts.tooSoon++;
      // A Go proxy takes 0 for its own 5 s, and never polls twice in a second.
      const pause = outcome.nextPoll === 0 ? 5_000 : Math.max(outcome.nextPoll, 1_000);
      this.#in(pause + ROUND_TRIP, () => this.#poll(address, habits));
      if (outcome.kind === "matched" && answersAfter !== undefined) {
        this.#in(answersAfter, () => void this.t.answer(sid, "answer"));
      }
    });
  }

  #offer(): void {
    const came = this.t.clock.now();
    this.counts.offers++;
    void this.t.offer(`o${this.#names++}`, { nat: "restricted" }).ended.then(({ kind }) => {
      if (kind === "denied") this.counts.denied++;
      if (kind === "timed-out") this.counts.timedOut++;
      if (kind !== "answered") return;
      this.counts.answered++;
      this.waits.push(this.t.clock.now() - came);
    });
  }

  #in(ms: number, act: () => void): void {
    const at = Math.ceil((this.t.clock.now() + Math.max(ms, 1)) / STEP) * STEP;
    const due = this.#agenda.get(at);
    if (due === undefined) this.#agenda.set(at, [act]);
    else due.push(act);
  }

  /** Between two clients, as far as they do not know of each other. */
  #interval(rate: number): number {
    return rate === 0 ? Infinity : (-1000 * Math.log(1 - this.random.next())) / rate;
  }
}
