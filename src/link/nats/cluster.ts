/**
 * This node's part in a cluster: clients that find no proxy here get one of another node, and the other way round.
 *
 * Each node says how many proxies wait in each of its pools: once a second, and at once when a pool is no longer empty. A
 * client that finds nobody here is given to a node that is drawn by those numbers. They are a hint: the reply is the truth,
 * and if it is no, the next node is asked. Clients that wait are offered to a node as soon as it says it has somebody.
 * Nothing is stored anywhere, so that nothing of a node stays when it is gone.
 */

import type { AnswerOutcome } from "../../broker/broker.ts";
import type { Client } from "../../broker/client.ts";
import type { Clock } from "../../broker/clock.ts";
import type { Elsewhere } from "../../broker/elsewhere.ts";
import type { LocalBroker } from "../../broker/local-broker.ts";
import { POOL_NAMES, type PoolName } from "../../broker/policy/nat-classes.ts";
import type { Logger } from "../../log/logger.ts";
import type { ProxyAnswer } from "../../messages/proxy-answer.ts";
import type { SessionDescription } from "../../messages/session-description.ts";
import { decodePayload, NO_PAYLOAD } from "../socket/codec.ts";
import type { Bus, BusListener } from "./bus.ts";
import type { AskOutcome, ClusterEvents } from "./cluster-events.ts";
import {
  ANSWER,
  answerOutcome,
  ASK,
  ask,
  GIVEN,
  LEAVING,
  left,
  NOBODY,
  OUTCOME,
  PRESENCE,
  presence,
  STRAY_ANSWER,
  strayAnswer,
  ticketAnswer,
} from "./cluster-messages.ts";
import type { Envelopes, Opened } from "./envelope.ts";
import { type Answering, Mail, type Message, type Reply } from "./mail.ts";
import { type Peer, Peers } from "./peers.ts";
import { type Search, Searches } from "./searches.ts";

/** How often a node says what it has, in ms. */
const PRESENCE_INTERVAL = 1_000;

/**
 * The least time between two presences, in ms for each other node: a pool that is empty again and again must not flood the
 * bus, and no node hears more than a hundred presences a second, however many nodes there are.
 */
const LEAST_INTERVAL = 10;

/** How long to wait for a node to say whether it has a proxy, in ms: round the earth and back, and a busy node. */
const ASK_TIMEOUT = 500;

/** How long to wait for a node to say what became of an answer, in ms. */
const ANSWER_TIMEOUT = 1_000;

/** For how long after NATS is gone answers wait for it to be back, and how often they look, in ms. */
const BUS_PATIENCE = 2_000;
const LOOK_EVERY = 50;

/** Answers that are sent to all nodes at once: each goes to all nodes, and anybody can invent session ids. */
const MAX_STRAYS = 1_000;

export interface ClusterParts {
  readonly bus: Bus;
  readonly broker: LocalBroker;
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly envelopes: Envelopes;
  /** What the subjects of the cluster begin with. */
  readonly name: string;
  readonly events: ClusterEvents;
  readonly log: Pick<Logger, "warn">;
}

export class Cluster implements Elsewhere, BusListener {
  readonly #parts: ClusterParts;
  readonly #all: string;
  readonly #mail: Mail;
  readonly #peers = new Peers();
  readonly #searches = new Searches();
  /** What this node said last. 0 if others know better: they asked, and there was nobody. */
  readonly #said: Record<PoolName, number> = { open: 0, moderate: 0, strict: 0 };
  #strays = 0;
  #retired = false;
  /** When the connection to the bus was lost, in ms of the clock. */
  #lostAt = -Infinity;
  #cancelPresence = () => {};
  /** When it said so, in ms of the clock. */
  #saidAt = -Infinity;

  /** Begins to listen on the bus; what it makes known there begins with `onConnected`. */
  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.#all = `${parts.name}.all`;
    this.#mail = new Mail(parts);
    this.#mail.listen(this.#all, (opened, answer) => this.#onBroadcast(opened, answer));
    const own = this.#subjectOf(parts.envelopes.id);
    this.#mail.listen(own, (opened, answer) => this.#onDirect(opened, answer));
  }

  /** How many other nodes are known. */
  get others(): number {
    return this.#peers.size;
  }

  /** How many proxies another node is believed to have, in all pools or in this one. */
  hintsOf(node: string, pool?: PoolName): number {
    const counts = this.#peers.countsOf(node);
    return pool === undefined ? counts.open + counts.moderate + counts.strict : counts[pool];
  }

  onConnected(): void {
    this.#parts.events.connected(true);
    this.#sayPresence();
  }

  onLost(): void {
    this.#lostAt = this.#parts.clock.now();
    this.#peers.forgetAll();
    this.#parts.events.connected(false);
    this.#parts.events.nodes(0);
  }

  /** Takes no more clients of others, and seeks nothing for new ones. What is under way goes on. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#cancelPresence();
    this.#mail.send(this.#all, { kind: LEAVING, codec: NO_PAYLOAD, value: null });
  }

  seek(client: Client, pools: readonly PoolName[]): boolean {
    if (this.#retired) return false;
    const search = this.#searches.begin(client, pools);
    if (this.#askNext(search)) return true;
    this.#searches.wait(search);
    return false;
  }

  seekSecond(client: Client, pools: readonly PoolName[]): void {
    if (this.#retired) return;
    const search = this.#searches.find(client.ticket) ?? this.#searches.begin(client, pools);
    search.isSecond = true;
    this.#askNext(search);
  }

  ended(client: Client): void {
    this.#searches.end(client);
  }

  proxyWaits(pool: PoolName): void {
    if (this.#said[pool] > 0 || this.#retired) return;
    this.#said[pool] = 1;
    this.#presenceSoon();
  }

  async answer(answer: ProxyAnswer): Promise<AnswerOutcome | undefined> {
    if (this.#strays >= MAX_STRAYS) return undefined;
    this.#strays++;
    const message = { kind: STRAY_ANSWER, codec: strayAnswer, value: answer };
    const reply = await this.#requestPatiently(this.#all, message);
    this.#strays--;
    const outcome = outcomeIn(reply);
    if (reply.kind !== "lost") this.#parts.events.strayAnswer(outcome !== undefined);
    return outcome;
  }

  #subjectOf(node: string): string {
    return `${this.#parts.name}.node.${node}`;
  }

  // What this node has.

  #sayPresence(): void {
    const { bus, broker, events, clock } = this.#parts;
    if (this.#retired || !bus.connected) return;
    this.#peers.expire(clock.now());
    events.nodes(this.#peers.size);
    for (const pool of POOL_NAMES) this.#said[pool] = broker.proxiesToShare(pool);
    this.#mail.send(this.#all, { kind: PRESENCE, codec: presence, value: this.#said });
    this.#saidAt = clock.now();
    this.#schedulePresence(this.#saidAt + PRESENCE_INTERVAL);
  }

  #presenceSoon(): void {
    const least = LEAST_INTERVAL * Math.max(1, this.#peers.size);
    this.#schedulePresence(Math.max(this.#parts.clock.now(), this.#saidAt + least));
  }

  #schedulePresence(at: number): void {
    this.#cancelPresence();
    if (this.#retired) return;
    this.#cancelPresence = this.#parts.clock.callAt(at, () => this.#sayPresence());
  }

  // Clients of this node.

  /** Asks the next node that may have a proxy; false if there is none. */
  #askNext(search: Search): boolean {
    const { random } = this.#parts;
    for (const pool of search.pools) {
      const peer = this.#peers.draw(pool, (id) => search.avoided.has(id), random);
      if (peer === undefined) continue;
      void this.#ask(search, peer, pool);
      return true;
    }
    return false;
  }

  async #ask(search: Search, peer: Peer, pool: PoolName): Promise<void> {
    const { broker, events } = this.#parts;
    const { client, isSecond } = search;
    const { offer, relayUrl, ticket } = client;
    peer.counts[pool]--;
    search.asked.add(peer.id);
    if (!isSecond) broker.askedElsewhere(client);
    const reply = await this.#mail.request(
      this.#subjectOf(peer.id),
      { kind: ASK, codec: ask, value: { ticket, pool, isSecond, offer, relayUrl } },
      ASK_TIMEOUT,
    );
    const outcome = this.#noteReply(reply, search, peer, pool);
    events.asked(outcome);
    if (!search.isOpen) return;
    if (outcome === "given") broker.givenElsewhere(client, isSecond);
    else if (!this.#askNext(search) && !isSecond) {
      this.#searches.wait(search);
      broker.nobodyElsewhere(client);
    }
  }

  /** Remembers what a reply says of its node. */
  #noteReply(reply: Reply, search: Search, peer: Peer, pool: PoolName): AskOutcome {
    if (reply.kind === "lost") {
      search.avoided.add(peer.id);
      return "lost";
    }
    if (reply.kind === "nobody") {
      this.#peers.forget(peer.id);
      return "node-gone";
    }
    const count =
      reply.kind === "reply" && reply.opened.kind === GIVEN
        ? decodePayload(left, reply.opened.payload)
        : undefined;
    // A node without a word may have anything or be gone: its next presence tells.
    peer.counts[pool] = count ?? 0;
    if (count !== undefined || reply.kind === "timed-out") search.avoided.add(peer.id);
    if (count !== undefined) return "given";
    if (reply.kind === "timed-out") return "timed-out";
    return reply.kind === "reply" && reply.opened.kind === NOBODY ? "nobody" : "malformed";
  }

  // Clients of other nodes.

  #onBroadcast(opened: Opened, answer: Answering | undefined): void {
    const { kind, payload, sender } = opened;
    if (kind === PRESENCE) {
      const counts = decodePayload(presence, payload);
      if (counts === undefined) return this.#mail.ignore("malformed");
      // A new node hears at once what there is.
      if (this.#peers.note(sender, counts, this.#parts.clock.now())) this.#presenceSoon();
      this.#wake();
    } else if (kind === LEAVING) {
      this.#peers.forget(sender);
    } else if (kind === STRAY_ANSWER && answer !== undefined) {
      const stray = decodePayload(strayAnswer, payload);
      if (stray === undefined) return this.#mail.ignore("malformed");
      void this.#takeStray(stray, answer);
    } else this.#mail.ignore("malformed");
  }

  #wake(): void {
    this.#searches.wake(
      (pools) => pools.some((pool) => this.#peers.hasAny(pool)),
      (search) => this.#askNext(search),
    );
  }

  async #takeStray(stray: ProxyAnswer, answer: Answering): Promise<void> {
    const { broker } = this.#parts;
    if (!broker.expectsAnswer(stray.sid)) return;
    const outcome = await broker.answer(stray);
    answer({ kind: OUTCOME, codec: answerOutcome, value: outcome });
  }

  #onDirect(opened: Opened, answer: Answering | undefined): void {
    if (opened.kind === ASK && answer !== undefined) this.#onAsk(opened, answer);
    else if (opened.kind === ANSWER && answer !== undefined) this.#onAnswer(opened, answer);
    else this.#mail.ignore("malformed");
  }

  #onAsk(opened: Opened, answer: Answering): void {
    const { broker, events } = this.#parts;
    const asked = decodePayload(ask, opened.payload);
    if (asked === undefined) return this.#mail.ignore("malformed");
    // A proxy would get the offer of a client that has another one by now.
    if (opened.lateness > ASK_TIMEOUT) return this.#mail.ignore("late");
    const { ticket, pool } = asked;
    const count = broker.serveForeign({
      ...asked,
      forward: (description) => this.#forward(opened.sender, ticket, description),
    });
    events.served(count !== undefined);
    if ((count ?? 0) === 0) this.#said[pool] = 0;
    if (count === undefined) {
      answer({ kind: NOBODY, codec: NO_PAYLOAD, value: null });
    } else answer({ kind: GIVEN, codec: left, value: count });
  }

  /** Brings an answer to the node of its client. That node takes one answer only, however often it comes. */
  async #forward(node: string, ticket: number, answer: SessionDescription): Promise<boolean> {
    const message = { kind: ANSWER, codec: ticketAnswer, value: { ticket, answer } };
    const reply = await this.#requestPatiently(this.#subjectOf(node), message);
    return outcomeIn(reply)?.kind === "delivered";
  }

  /** A request about an answer. If NATS has just gone, it waits for it and the other nodes, and asks once more. */
  async #requestPatiently<T>(subject: string, message: Message<T>): Promise<Reply> {
    const { bus, clock } = this.#parts;
    for (;;) {
      if (bus.connected && this.#peers.size > 0) {
        const reply = await this.#mail.request(subject, message, ANSWER_TIMEOUT);
        if (reply.kind !== "lost") return reply;
      }
      if (clock.now() >= this.#lostAt + BUS_PATIENCE) return { kind: "lost" };
      await new Promise<void>((resolve) => clock.callAt(clock.now() + LOOK_EVERY, resolve));
    }
  }

  #onAnswer(opened: Opened, answer: Answering): void {
    const { broker, events } = this.#parts;
    const message = decodePayload(ticketAnswer, opened.payload);
    if (message === undefined) return this.#mail.ignore("malformed");
    const search = this.#searches.find(message.ticket);
    const isDelivered =
      search?.asked.has(opened.sender) === true &&
      broker.answeredElsewhere(search.client, message.answer);
    events.answered(isDelivered);
    const value: AnswerOutcome = { kind: isDelivered ? "delivered" : "client-gone" };
    answer({ kind: OUTCOME, codec: answerOutcome, value });
  }
}

function outcomeIn(reply: Reply): AnswerOutcome | undefined {
  if (reply.kind !== "reply" || reply.opened.kind !== OUTCOME) return undefined;
  return decodePayload(answerOutcome, reply.opened.payload);
}
