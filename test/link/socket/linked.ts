/** Cores and frontends that are linked by a real unix socket, each on a clock of its own that stands still. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Broker, Offer, OfferOutcome, Poll, PollOutcome } from "../../../src/broker/broker.ts";
import type { LocalBrokerParts } from "../../../src/broker/local-broker.ts";
import type { Count } from "../../../src/link/socket/counts.ts";
import { SocketBroker, type SocketBrokerParts } from "../../../src/link/socket/socket-broker.ts";
import {
  type BrokerSocket,
  type BrokerSocketParts,
  serveBrokerOnSocket,
} from "../../../src/link/socket/socket-server.ts";
import { Address } from "../../../src/messages/address.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { FakeClock } from "../../kit/fake-clock.ts";
import { sessionId, TestBroker, Watched } from "../../kit/test-broker.ts";

/** Milliseconds after which whatever is waited for will not come. */
const BOUND = 10_000;

/** Lets the event loop turn until the condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + BOUND;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${BOUND} ms: ${String(holds)}`);
    await new Promise(setImmediate);
  }
}

/** A new directory for one socket, removed when it is disposed of. */
export class SocketDirectory implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "snowflake-link-"));
  readonly path = join(this.#directory, "core.sock");

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}

/** A matchmaker on a socket. */
export class TestCore implements AsyncDisposable {
  readonly matchmaker: TestBroker;
  readonly socket: BrokerSocket;
  readonly clock: FakeClock;
  readonly reports: string[];
  readonly counts: readonly Count[];
  /** What threw: nothing, or the test has found a bug. */
  readonly bugs: readonly unknown[];

  private constructor(
    matchmaker: TestBroker,
    socket: BrokerSocket,
    clock: FakeClock,
    told: { reports: string[]; counts: Count[]; bugs: unknown[] },
  ) {
    this.matchmaker = matchmaker;
    this.socket = socket;
    this.clock = clock;
    this.reports = told.reports;
    this.counts = told.counts;
    this.bugs = told.bugs;
  }

  static async start(
    path: string,
    socketParts: Partial<BrokerSocketParts> = {},
    brokerParts: Partial<LocalBrokerParts> = {},
  ): Promise<TestCore> {
    const matchmaker = new TestBroker(brokerParts);
    /** The link's own, so that a test can let peers wait and the link not. */
    const clock = new FakeClock();
    const told = {
      reports: Array<string>(),
      counts: Array<Count>(),
      bugs: Array<unknown>(),
    };
    const served = await serveBrokerOnSocket({
      path,
      broker: matchmaker.broker,
      pollIntervals: () => matchmaker.broker.pollIntervals,
      clock,
      page: async () => undefined,
      onCount: (count) => told.counts.push(count),
      onBug: (error) => told.bugs.push(error),
      report: (message) => told.reports.push(message),
      ...socketParts,
    });
    if (!served.ok) throw new Error(served.error);
    return new TestCore(matchmaker, served.socket, clock, told);
  }

  get load() {
    return this.matchmaker.broker.load;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket.stop();
  }
}

let addresses = 0;

/** An address that nobody else has. */
export function newAddress(): Address {
  addresses++;
  return new Address(
    `2001:db8:${((addresses >> 16) + 1).toString(16)}:${((addresses & 0xffff) + 1).toString(16)}::1`,
  );
}

/** A poll as ordinary proxies send it. */
export function aPoll(sid: string, poll: Partial<Poll> = {}): Poll {
  return {
    sid: sessionId(sid),
    type: "standalone",
    nat: "unrestricted",
    clients: 0,
    relayPattern: "snowflake.torproject.net$",
    address: newAddress(),
    ...poll,
  };
}

/** An offer as ordinary clients send it. */
export function anOffer(text: string, offer: Partial<Offer> = {}): Offer {
  return {
    offer: writeDescription(text),
    nat: "unknown",
    fingerprint: undefined,
    address: undefined,
    rendezvous: "http",
    ...offer,
  };
}

/** What peers say to a frontend. */
export class TestFrontend implements Disposable {
  readonly broker: SocketBroker;
  readonly clock = new FakeClock();
  readonly reports: string[] = [];

  constructor(path: string, parts: Partial<SocketBrokerParts> = {}) {
    this.broker = new SocketBroker({
      path,
      clock: this.clock,
      random: () => 0,
      report: (message) => this.reports.push(message),
      ...parts,
    });
  }

  /** A frontend that has found its core. */
  static async start(path: string, parts: Partial<SocketBrokerParts> = {}): Promise<TestFrontend> {
    const frontend = new TestFrontend(path, parts);
    await frontend.connected();
    return frontend;
  }

  /** Waits for a core, while the clock goes on by 10 ms at a time. */
  async connected(): Promise<void> {
    await until(() => {
      if (!this.broker.connected) this.clock.advance(10);
      return this.broker.connected;
    });
  }

  /** Waits until the core has done what this frontend asked so far, and this frontend has what came of it. */
  async settled(): Promise<void> {
    await this.broker.sessions();
  }

  poll(sid: string, poll: Partial<Poll> = {}): Watched<PollOutcome> {
    return new Watched((gone) => this.broker.poll(aPoll(sid, poll), gone));
  }

  offer(text: string, offer: Partial<Offer> = {}): Watched<OfferOutcome> {
    return new Watched((gone) => this.broker.offer(anOffer(text, offer), gone));
  }

  /** Resolves to what the proxy is told. */
  async answer(sid: string, answer: string): Promise<string> {
    return answerOf(this.broker, sid, answer);
  }

  [Symbol.dispose](): void {
    this.broker.close();
  }
}

export async function answerOf(broker: Broker, sid: string, answer: string): Promise<string> {
  const outcome = await broker.answer({ sid: sessionId(sid), answer: writeDescription(answer) });
  return outcome.kind;
}
