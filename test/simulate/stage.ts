/** A real broker on a virtual clock with a few simulated peers, and what they said when. */

import { drainMicrotasks } from "bun:jsc";

import { DEFAULT_BRIDGES } from "../../src/broker/bridge-list.ts";
import type { OfferEnd, PollEnd } from "../../src/broker/events.ts";
import { NO_EVENTS } from "../../src/broker/events.ts";
import { LocalBroker, type LocalBrokerParts } from "../../src/broker/local-broker.ts";
import { DEFAULT_POLL_INTERVALS } from "../../src/broker/policy/poll-intervals.ts";
import { Address } from "../../src/messages/address.ts";
import type { NatType } from "../../src/messages/nat-type.ts";
import { BrowserProxy } from "../../src/simulate/peers/browser-proxy.ts";
import type { Field } from "../../src/simulate/peers/field.ts";
import { GoClient } from "../../src/simulate/peers/go-client.ts";
import { GoProxy } from "../../src/simulate/peers/go-proxy.ts";
import type { ClientTraits, ProxyTraits } from "../../src/simulate/peers/traits.ts";
import { Random } from "../../src/simulate/random.ts";
import { Tally } from "../../src/simulate/tally.ts";
import { VirtualClock } from "../../src/simulate/virtual-clock.ts";

const HOUR = 3_600_000;

/** One way to the broker, in ms; each message takes a little longer, 5 ms on average. */
const LATENCY = 50;

export class Stage {
  readonly clock = new VirtualClock(drainMicrotasks);
  readonly tally = new Tally(0, 48 * HOUR);
  readonly broker: LocalBroker;
  readonly field: Field;
  /** Polls, by when they came. */
  readonly polls: {
    readonly at: number;
    readonly nat: NatType;
    readonly clients: number;
    end?: PollEnd;
  }[] = [];
  /** Offers, by when they came. */
  readonly offers: { readonly at: number; readonly nat: NatType; readonly end: OfferEnd }[] = [];
  #peers = 0;

  constructor(parts: Partial<LocalBrokerParts> = {}) {
    const open = new Map<string, Stage["polls"][number]>();
    this.broker = new LocalBroker({
      clock: this.clock,
      events: {
        ...NO_EVENTS,
        pollReceived: ({ sid, nat, clients }) => {
          const poll = { at: this.clock.now(), nat, clients };
          this.polls.push(poll);
          open.set(sid, poll);
        },
        pollEnded: ({ sid }, end) => {
          const poll = open.get(sid);
          if (poll !== undefined) poll.end = end;
        },
        offerEnded: ({ nat }, end, elapsed) => {
          this.offers.push({ at: this.clock.now() - elapsed, nat, end });
        },
      },
      bridges: DEFAULT_BRIDGES,
      pollIntervals: DEFAULT_POLL_INTERVALS,
      allowedRelayPattern: undefined,
      limits: { waitingProxies: 100, clients: 100, rateLimitEntries: 100 },
      ipv6Prefix: 64,
      hashAddress: (address) => Bun.hash.crc32(address),
      ...parts,
    });
    this.field = {
      clock: this.clock,
      broker: this.broker,
      tally: this.tally,
      sessions: new Map(),
      channels: new Set(),
      seed: 1,
      unluckyPairs: 0,
    };
  }

  /** A proxy that begins to poll now. Unless something else is said it is open and never fails. */
  proxy(program: "newest" | "older" | "browser", traits: Partial<ProxyTraits> = {}): void {
    const id = this.#peers++;
    const all: ProxyTraits = {
      id,
      open: true,
      country: "de",
      latency: LATENCY,
      address: new Address(`192.0.2.${id}`),
      type: program === "browser" ? "webext" : "standalone",
      nat: "unrestricted",
      capacity: Infinity,
      useless: false,
      silence: 0,
      death: 0,
      ...traits,
    };
    const random = new Random(1, 1, id);
    const proxy =
      program === "browser"
        ? new BrowserProxy(this.field, all, random)
        : new GoProxy(this.field, all, random, program);
    proxy.begin(0);
  }

  /** A person that wants to connect now. */
  person(traits: Partial<ClientTraits> = {}): void {
    const id = this.#peers++;
    const all: ClientTraits = {
      id,
      open: true,
      country: "ir",
      latency: LATENCY,
      address: undefined,
      rendezvous: "http",
      generation: "newest",
      natKnownAfter: 0,
      patience: Infinity,
      stay: HOUR,
      ...traits,
    };
    new GoClient(this.field, all, new Random(1, 2, id)).begin();
  }

  /** Seconds from each poll to the next, in tenths. */
  get pauses(): number[] {
    return pausesOf(this.polls);
  }
}

/** Seconds from each to the next, in tenths. */
export function pausesOf(moments: readonly { readonly at: number }[]): number[] {
  return moments.slice(1).map(({ at }, i) => Math.round((at - (moments[i]?.at ?? 0)) / 100) / 10);
}
