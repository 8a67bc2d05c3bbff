/** Nodes of a cluster in one process, each with a matchmaker of its own, on a real NATS server. */

import { DEFAULT_BRIDGES } from "../../../src/broker/bridge-list.ts";
import type { Offer, OfferOutcome, Poll, PollOutcome } from "../../../src/broker/broker.ts";
import { LocalBroker, type LocalBrokerParts } from "../../../src/broker/local-broker.ts";
import { DEFAULT_POLL_INTERVALS } from "../../../src/broker/policy/poll-intervals.ts";
import type {
  AskOutcome,
  ClusterEvents,
  IgnoreReason,
} from "../../../src/link/nats/cluster-events.ts";
import { Cluster } from "../../../src/link/nats/cluster.ts";
import { Envelopes, type EnvelopesParts } from "../../../src/link/nats/envelope.ts";
import { NatsBus } from "../../../src/link/nats/nats-bus.ts";
import { systemClock } from "../../../src/system/system-clock.ts";
import { EventLog } from "../../kit/event-log.ts";
import type { NatsServer } from "../../kit/nats-server.ts";
import { Watched } from "../../kit/test-broker.ts";
import { anOffer, answerOf, aPoll, until } from "../socket/linked.ts";

export const SECRET = Buffer.from("a secret of thirty-two characters");

let clusters = 0;

/** A name that no other cluster of this process has. */
export function newName(): string {
  return `snowflake-test-${++clusters}`;
}

/** Counts what a cluster tells of its work, by its words. */
export class ClusterLog implements ClusterEvents {
  readonly #counts = new Map<string, number>();

  count(word: string): number {
    return this.#counts.get(word) ?? 0;
  }

  connected(isConnected: boolean): void {
    this.#add(isConnected ? "connected" : "disconnected");
  }

  nodes(): void {}

  asked(outcome: AskOutcome): void {
    this.#add(outcome);
  }

  served(isGiven: boolean): void {
    this.#add(isGiven ? "served" : "not served");
  }

  answered(isDelivered: boolean): void {
    this.#add(isDelivered ? "answered" : "answered too late");
  }

  strayAnswer(isFound: boolean): void {
    this.#add(isFound ? "stray found" : "stray of nobody");
  }

  ignored(reason: IgnoreReason): void {
    this.#add(reason);
  }

  #add(word: string): void {
    this.#counts.set(word, this.count(word) + 1);
  }
}

export interface TestNodeParts {
  /** Of the cluster: on one NATS server several can be. */
  readonly name?: string;
  readonly broker?: Partial<LocalBrokerParts>;
  readonly envelopes?: Partial<EnvelopesParts>;
}

/** One node. Time is the machine's. */
export class TestNode implements AsyncDisposable {
  readonly broker: LocalBroker;
  readonly events = new EventLog();
  readonly cluster: Cluster;
  readonly envelopes: Envelopes;
  readonly bus: NatsBus;
  readonly log = new ClusterLog();
  readonly reports: string[] = [];
  /** Where other nodes reach it. */
  readonly subject: string;

  constructor(servers: readonly Pick<NatsServer, "port">[], parts: TestNodeParts = {}) {
    const { name = "snowflake-test" } = parts;
    this.broker = new LocalBroker({
      clock: systemClock,
      events: this.events,
      bridges: DEFAULT_BRIDGES,
      pollIntervals: DEFAULT_POLL_INTERVALS,
      allowedRelayPattern: undefined,
      limits: { waitingProxies: 10_000, clients: 10_000, rateLimitEntries: 10_000 },
      ipv6Prefix: 64,
      hashAddress: (address) => Bun.hash.crc32(address),
      ...parts.broker,
    });
    const note = (message: string) => void this.reports.push(message);
    const log = { info: note, warn: note };
    this.bus = new NatsBus({
      servers: servers.map(({ port }) => `127.0.0.1:${port}`),
      tls: undefined,
      authenticator: undefined,
      inboxPrefix: `${name}.inbox`,
      clock: systemClock,
      random: Math.random,
      log,
    });
    this.envelopes = new Envelopes({
      secret: SECRET,
      cluster: name,
      timeOfDay: Date.now,
      ...parts.envelopes,
    });
    this.subject = `${name}.node.${this.envelopes.id}`;
    this.cluster = new Cluster({
      bus: this.bus,
      broker: this.broker,
      clock: systemClock,
      random: Math.random,
      envelopes: this.envelopes,
      name,
      events: this.log,
      log,
    });
    this.broker.join(this.cluster);
    this.bus.start(this.cluster);
  }

  /** Starts so many nodes, and waits until each knows all others. */
  static async startAll(
    servers: readonly Pick<NatsServer, "port">[],
    count: number,
    parts: TestNodeParts = {},
  ): Promise<TestNode[]> {
    const name = newName();
    const nodes = Array.from({ length: count }, () => new TestNode(servers, { name, ...parts }));
    await until(() => nodes.every((node) => node.cluster.others === count - 1));
    return nodes;
  }

  poll(sid: string, poll: Partial<Poll> = {}): Watched<PollOutcome> {
    return new Watched((gone) => this.broker.poll(aPoll(sid, poll), gone));
  }

  offer(text: string, offer: Partial<Offer> = {}): Watched<OfferOutcome> {
    return new Watched((gone) => this.broker.offer(anOffer(text, offer), gone));
  }

  /** Resolves to what the proxy is told. */
  answer(sid: string, answer: string): Promise<string> {
    return answerOf(this.broker, sid, answer);
  }

  /** As a process that is killed: others hear nothing of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.close();
  }
}
