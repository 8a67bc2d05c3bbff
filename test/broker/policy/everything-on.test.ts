/**
 * Random histories with every part of the policy on: peers poll, offer, answer, say nothing, hang up, share addresses,
 * repeat session ids and come back. After every step all invariants hold. SIMULATED_EVENTS says how many steps there are.
 */

import { expect, test } from "bun:test";

import type { OfferOutcome, PollOutcome } from "../../../src/broker/broker.ts";
import { type MatchingPolicy, REACH_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { Address } from "../../../src/messages/address.ts";
import { NAT_TYPES } from "../../../src/messages/nat-type.ts";
import { descriptionText } from "../../../src/messages/session-description.ts";
import { Random } from "../../kit/random.ts";
import { settle, TestBroker, type Watched } from "../../kit/test-broker.ts";

const EVENTS = Number(process.env["SIMULATED_EVENTS"] ?? 60_000);
const EVENTS_OF_ONE = 2_000;

const EVERYTHING: MatchingPolicy = {
  ...REACH_POLICY,
  maxWaitingClients: 12,
  // So few that pools of this world have a surplus now and then.
  leastReserve: 2,
  learnFromRetries: true,
};

interface Peer<Outcome> {
  /** The session id of a proxy, the offer of a client. */
  readonly name: string;
  readonly since: number;
  readonly watched: Watched<Outcome>;
}

class World {
  readonly random: Random;
  readonly t = new TestBroker({
    policy: EVERYTHING,
    countryOf: (address) => (Number(address.reveal().at(-1)) < 4 ? "aa" : undefined),
    limits: { waitingProxies: 60, clients: 40, rateLimitEntries: 12 },
  });
  /** Those whose outcome has not been looked at. */
  readonly polls = new Set<Peer<PollOutcome>>();
  readonly offers = new Set<Peer<OfferOutcome>>();
  /** The offer that each session was given last. */
  readonly given = new Map<string, string>();
  /** The offer whose client should have got each answer that was delivered. */
  readonly delivered = new Map<string, string>();
  readonly answered: string[] = [];
  #names = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  step(): Promise<void> | undefined {
    const { t, random } = this;
    const name = `${this.#names++}`;
    const since = t.clock.now();
    const address = this.#address();
    const nat = random.of(NAT_TYPES);
    switch (random.below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: {
        // Now and then a session id again that is waiting, matched or done with.
        const sid = random.below(8) === 0 ? `${random.below(this.#names)}` : name;
        const waited = random.below(10) === 0 ? random.below(28_001) : undefined;
        const poll = { nat, address, waited, clients: random.below(3) };
        const came = since - (waited ?? 0);
        this.polls.add({ name: sid, since: came, watched: t.poll(sid, poll) });
        return undefined;
      }
      case 5:
      case 6:
      case 7:
      case 8:
        this.offers.add({ name, since, watched: t.offer(name, { nat, address }) });
        return undefined;
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        return this.#answer(`answer ${name}`);
      case 14:
        this.#any(this.polls)?.watched.hangUp();
        return undefined;
      case 15:
        this.#any(this.offers)?.watched.hangUp();
        return undefined;
      default:
        t.clock.advance(this.#while());
        return undefined;
    }
  }

  /** Takes note of what peers were told, and checks that nobody waits for too long. */
  look(): void {
    const now = this.t.clock.now();
    for (const poll of this.polls) {
      const { outcome } = poll.watched;
      if (outcome?.kind === "matched") this.given.set(poll.name, descriptionText(outcome.offer));
      if (outcome !== undefined) this.polls.delete(poll);
      else expect(now - poll.since).toBeLessThanOrEqual(EVERYTHING.proxyWait);
    }
    for (const offer of this.offers) {
      const { outcome } = offer.watched;
      if (outcome?.kind === "answered") {
        const answer = descriptionText(outcome.answer);
        expect(this.delivered.get(answer)).toBe(offer.name);
        this.answered.push(answer);
      }
      if (outcome !== undefined) this.offers.delete(offer);
      else expect(now - offer.since).toBeLessThanOrEqual(EVERYTHING.clientDeadline);
    }
    expect(this.t.broker.consistencyCheck()).toEqual([]);
  }

  async end(): Promise<void> {
    this.t.clock.advance(EVERYTHING.proxyWait);
    await settle();
    this.look();
    expect(this.polls.size + this.offers.size).toBe(0);
    expect(this.t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
    expect(this.t.broker.waitingClients).toBe(0);
    // Everything that was delivered came to exactly one client.
    expect(new Set(this.answered).size).toBe(this.answered.length);
    expect(this.delivered.size).toBe(this.answered.length);
  }

  async #answer(answer: string): Promise<void> {
    const sessions = [...this.given];
    const [sid, offer] = sessions[this.random.below(sessions.length)] ?? ["nobody", ""];
    if (this.random.below(10) > 0) this.given.delete(sid);
    const outcome = await this.t.answer(sid, answer);
    if (outcome === "delivered") this.delivered.set(answer, offer);
  }

  #address(): Address | undefined {
    const host = this.random.below(10);
    return host === 0 ? undefined : new Address(`192.0.2.${host}`);
  }

  #while(): number {
    const { random } = this;
    if (random.below(200) === 0) return 7_200_000 * random.next();
    return random.below(3) === 0 ? 12_000 * random.next() : 1_000 * random.next();
  }

  #any<T>(set: ReadonlySet<T>): T | undefined {
    return [...set][this.random.below(set.size)];
  }
}

test(
  `${EVENTS} random events with every part of the policy on`,
  async () => {
    const acts = new Set<string>();
    for (let seed = 1; seed <= EVENTS / EVENTS_OF_ONE; seed++) {
      const world = new World(seed);
      try {
        for (let event = 0; event < EVENTS_OF_ONE; event++) {
          await world.step();
          await settle();
          world.look();
        }
        await world.end();
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      for (const word of world.t.events.words) if (!word.includes(" ")) acts.add(word);
    }
    // Each part had something to do.
    expect([...acts].toSorted()).toEqual([
      "client-served",
      "client-stricter",
      "client-waits",
      "nat-remembered",
      "poll-kept",
      "proxy-passed-over",
      "proxy-silent",
      "retry-noticed",
      "second-answered",
      "second-asked",
      "surplus-shared",
    ]);
  },
  { timeout: 600_000 },
);
