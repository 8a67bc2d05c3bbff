/** What others on the bus can do to a node: with the secret of the cluster, and without. */

import { describe, expect, test } from "bun:test";

import { REACH_POLICY, REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import {
  ANSWER,
  ASK,
  ask,
  GIVEN,
  left,
  PRESENCE,
  presence,
  STRAY_ANSWER,
  strayAnswer,
  ticketAnswer,
} from "../../../src/link/nats/cluster-messages.ts";
import { Envelopes, MAX_ENVELOPE } from "../../../src/link/nats/envelope.ts";
import { NatsBus } from "../../../src/link/nats/nats-bus.ts";
import type { Codec } from "../../../src/link/socket/codec.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { systemClock } from "../../../src/system/system-clock.ts";
import { describeWithNats, NatsServer } from "../../kit/nats-server.ts";
import { sessionId } from "../../kit/test-broker.ts";
import { anOffer, until } from "../socket/linked.ts";
import { newName, SECRET, TestNode, type TestNodeParts } from "./nodes.ts";

const NOBODY = { open: 0, moderate: 0, strict: 0 };

/** Somebody who can use the bus; with the secret unless something else is said. */
class Stranger implements AsyncDisposable {
  readonly envelopes: Envelopes;
  readonly bus: NatsBus;

  readonly #name: string;

  constructor(server: NatsServer, name: string, secret = SECRET, timeOfDay = Date.now) {
    this.#name = name;
    this.envelopes = new Envelopes({ secret, cluster: name, timeOfDay });
    this.bus = new NatsBus({
      servers: [`127.0.0.1:${server.port}`],
      tls: undefined,
      authenticator: undefined,
      inboxPrefix: "stranger",
      clock: systemClock,
      random: Math.random,
      log: { info() {}, warn() {} },
    });
    this.bus.start({ onConnected() {}, onLost() {} });
  }

  get subject(): string {
    return `${this.#name}.node.${this.envelopes.id}`;
  }

  send<T>(subject: string, kind: number, codec: Codec<T>, value: T): Buffer {
    const { bytes } = this.envelopes.seal(subject, kind, codec, value);
    this.bus.publish(subject, bytes);
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.close();
  }
}

describeWithNats("on a bus with strangers", () => {
  /** Two nodes, which work at the end as if nothing had been. */
  async function attack(parts: TestNodeParts = { broker: { policy: REFERENCE_POLICY } }) {
    const name = newName();
    const stack = new AsyncDisposableStack();
    const server = stack.use(await NatsServer.start());
    const nodes = await TestNode.startAll([server], 2, { name, ...parts });
    const [a, b] = nodes;
    if (a === undefined || b === undefined) throw new Error("there are no two nodes");
    stack.use(a);
    stack.use(b);
    return {
      a,
      b,
      all: `${name}.all`,
      subject: `${name}.node.${b.envelopes.id}`,
      async stranger(secret = SECRET, timeOfDay = Date.now): Promise<Stranger> {
        const made = stack.use(new Stranger(server, name, secret, timeOfDay));
        await until(() => made.bus.connected);
        return made;
      },
      /** From a pool that no other peer of these tests uses. */
      async stillWorks() {
        const poll = b.poll("after", { nat: "moderate" });
        await until(() => a.cluster.hintsOf(b.envelopes.id, "moderate") > 0);
        const offer = a.offer("o", { nat: "moderate" });
        expect((await poll.ended).kind).toBe("matched");
        expect(await b.answer("after", "a")).toBe("delivered");
        expect(await offer.ended).toEqual({ kind: "answered", answer: writeDescription("a") });
        for (const node of nodes) expect(node.broker.consistencyCheck()).toEqual([]);
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  const anAsk = () => ({
    ticket: 1,
    pool: "open" as const,
    isSecond: false,
    offer: anOffer("stolen"),
    relayUrl: "wss://evil.example/",
  });

  describe("without the secret", () => {
    test("nothing is accepted, on no subject", async () => {
      await using t = await attack();
      const s = await t.stranger(Buffer.from("a guess at what the secret may be"));
      s.send(t.all, PRESENCE, presence, { ...NOBODY, open: 1000 });
      const { bytes } = s.envelopes.seal(t.subject, ASK, ask, anAsk());
      expect((await s.bus.request(t.subject, bytes, 200)).kind).toBe("timed-out");
      await until(() => t.b.log.count("forged") === 2);
      expect(t.b.cluster.others).toBe(1);
      expect(t.b.reports.filter((line) => line.includes("(forged)"))).toHaveLength(1);
      await t.stillWorks();
    });

    test("garbage and messages over the limit are counted, and cost little", async () => {
      await using t = await attack();
      const s = await t.stranger();
      for (let length = 0; length < 200; length++)
        s.bus.publish(t.all, Buffer.alloc(length, length));
      for (const subject of [t.all, t.subject]) {
        s.bus.publish(subject, Buffer.alloc(MAX_ENVELOPE + 1, 1));
      }
      await until(() => t.b.log.count("too-large") === 2);
      expect(t.b.log.count("malformed") + t.b.log.count("other-version")).toBeGreaterThan(150);
      await t.stillWorks();
    });

    test("a recorded request is not served once more, by nobody", async () => {
      await using t = await attack();
      const s = await t.stranger();
      const thief = await t.stranger(Buffer.from("a guess at what the secret may be"));
      for (let i = 0; i < 3; i++) t.b.poll(`p${i}`);
      const recorded = s.send(t.subject, PRESENCE, presence, NOBODY);
      // Two connections: it has to be there before the other message is.
      await until(() => t.b.log.count("malformed") === 1);
      const { bytes } = s.envelopes.seal(t.subject, ASK, ask, anAsk());
      expect((await thief.bus.request(t.subject, bytes, 500)).kind).toBe("reply");
      expect(t.b.broker.load.waitingProxies).toBe(2);
      for (const again of [bytes, recorded]) {
        expect((await thief.bus.request(t.subject, again, 100)).kind).toBe("timed-out");
        expect((await thief.bus.request(t.all, again, 100)).kind).toBe("timed-out");
        const other = t.subject.replace(t.b.envelopes.id, t.a.envelopes.id);
        expect((await thief.bus.request(other, again, 100)).kind).toBe("timed-out");
      }
      expect(t.b.broker.load.waitingProxies).toBe(2);
      expect(t.b.log.count("replayed")).toBe(2);
      expect(t.b.log.count("forged")).toBe(2);
      await t.stillWorks();
    });

    test("a message from another time is not taken, and the log says what to do", async () => {
      await using t = await attack();
      const s = await t.stranger(SECRET, () => Date.now() - 3_600_000);
      s.send(t.all, PRESENCE, presence, { ...NOBODY, open: 1000 });
      await until(() => t.a.log.count("other-time") === 1);
      expect(t.a.reports.join()).toContain("synchronise the clocks");
      await t.stillWorks();
    });
  });

  describe("a node that misbehaves", () => {
    test("says it has many proxies and does not reply: the next node is asked in time", async () => {
      await using t = await attack();
      const s = await t.stranger();
      s.bus.subscribe(s.subject, () => {});
      t.b.poll("good");
      s.send(t.all, PRESENCE, presence, { ...NOBODY, open: 0xffff_ffff });
      await until(() => t.a.cluster.others === 2 && t.a.cluster.hintsOf(t.b.envelopes.id) === 1);
      const before = performance.now();
      const offer = t.a.offer("hello");
      await until(() => t.a.log.count("given") === 1);
      expect(performance.now() - before).toBeLessThan(1_500);
      expect(t.a.log.count("timed-out")).toBe(1);
      expect(await t.b.answer("good", "welcome")).toBe("delivered");
      expect((await offer.ended).kind).toBe("answered");
      await t.stillWorks();
    });

    test("takes every offer and never answers: the second chance saves the client", async () => {
      const policy = { ...REACH_POLICY, secondChance: 200 };
      await using t = await attack({ broker: { policy } });
      const s = await t.stranger();
      s.bus.subscribe(s.subject, (bytes, reply) => {
        const opened = s.envelopes.open(s.subject, bytes);
        if (!opened.ok) return;
        reply?.(s.envelopes.seal(opened.replySubject, GIVEN, left, 1_000).bytes);
      });
      for (let i = 0; i < 50; i++) t.b.poll(`p${i}`);
      s.send(t.all, PRESENCE, presence, { ...NOBODY, open: 0xffff_ffff });
      await until(() => t.a.cluster.others === 2 && t.a.cluster.hintsOf(t.b.envelopes.id) > 40);
      const offer = t.a.offer("hello");
      await until(() => t.a.log.count("given") === 2);
      const sid = Array.from({ length: 50 }, (_, i) => `p${i}`).find((name) =>
        t.b.broker.expectsAnswer(sessionId(name)),
      );
      expect(await t.b.answer(sid ?? "", "welcome")).toBe("delivered");
      expect((await offer.ended).kind).toBe("answered");
      await t.stillWorks();
    });

    test("answers for clients that it was not given, and is not heard", async () => {
      await using t = await attack({ broker: { policy: REACH_POLICY } });
      const s = await t.stranger();
      t.b.poll("own");
      await until(() => t.a.cluster.hintsOf(t.b.envelopes.id) === 1);
      const offer = t.a.offer("hello");
      await until(() => t.a.log.count("given") === 1);
      const target = t.subject.replace(t.b.envelopes.id, t.a.envelopes.id);
      for (let ticket = 0; ticket < 20; ticket++) {
        const answer = writeDescription("mine");
        const sealed = s.envelopes.seal(target, ANSWER, ticketAnswer, { ticket, answer });
        await s.bus.request(target, sealed.bytes, 500);
      }
      expect(offer.outcome).toBeUndefined();
      expect(await t.b.answer("own", "welcome")).toBe("delivered");
      expect(await offer.ended).toEqual({ kind: "answered", answer: writeDescription("welcome") });
      await t.stillWorks();
    });

    test("sends kinds and payloads that mean nothing: counted, no crash", async () => {
      await using t = await attack();
      const s = await t.stranger();
      const raw: Codec<Uint8Array> = {
        write: (to, bytes) => to.raw(bytes),
        read: (from) => from.rest(),
      };
      for (let kind = 0; kind < 256; kind++) {
        const value = new Uint8Array(kind % 50).fill(kind);
        for (const subject of [t.all, t.subject]) {
          const { bytes } = s.envelopes.seal(subject, kind, raw, value);
          if (kind % 2 === 0) s.bus.publish(subject, bytes);
          else void s.bus.request(subject, bytes, 50);
        }
      }
      await until(() => t.b.log.count("malformed") >= 500);
      await t.stillWorks();
    });

    test("floods with answers of nobody: nobody is answered, clients are served meanwhile", async () => {
      await using t = await attack();
      const s = await t.stranger();
      for (let i = 0; i < 5_000; i++) {
        const answer = { sid: sessionId(`none${i}`), answer: writeDescription("x") };
        s.send(t.all, STRAY_ANSWER, strayAnswer, answer);
      }
      await t.stillWorks();
    });
  });
});
