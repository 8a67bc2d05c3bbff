/** Thousands of clients, proxies and answers at nodes that chance chooses. */

import { expect, test } from "bun:test";

import { REACH_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { descriptionText } from "../../../src/messages/session-description.ts";
import { describeWithNats, NatsServer } from "../../kit/nats-server.ts";
import { Random } from "../../kit/random.ts";
import { TestNode } from "./nodes.ts";

const MATCHES = 10_000;
/** Clients at once. */
const IN_FLIGHT = 100;

describeWithNats("three nodes", () => {
  test(`${MATCHES} clients get an answer each, the one of the proxy that has their offer`, async () => {
    await using server = await NatsServer.start();
    const limits = { waitingProxies: 1_000, clients: 1_000, rateLimitEntries: 100_000 };
    const policy = { ...REACH_POLICY, secondChance: undefined };
    const nodes = await TestNode.startAll([server], 3, { broker: { policy, limits } });
    const random = new Random(1);
    const anyOf = (...indices: readonly number[]): TestNode => {
      const node = nodes[indices[Math.floor(indices.length * random.next())] ?? -1];
      if (node === undefined) throw new Error("there is no such node");
      return node;
    };
    let delivered = 0;
    let proxies = 0;
    /** A proxy polls at the second or third node until a client has its answer, which it posts at any node. */
    const serve = async (): Promise<void> => {
      const sid = `p${proxies++}`;
      const outcome = await anyOf(1, 2).poll(sid).ended;
      if (outcome.kind !== "matched") return serve();
      const told = await anyOf(0, 1, 2).answer(sid, `to ${descriptionText(outcome.offer)}`);
      if (told !== "delivered") return serve();
      delivered++;
    };
    let clients = 0;
    const outcomes = new Map<string, number>();
    /** One client after the other, at the first or second node. */
    const ask = async (): Promise<void> => {
      while (clients < MATCHES) {
        const name = `c${clients++}`;
        const served = serve();
        const outcome = await anyOf(0, 1).offer(name).ended;
        outcomes.set(outcome.kind, (outcomes.get(outcome.kind) ?? 0) + 1);
        if (outcome.kind === "answered") expect(descriptionText(outcome.answer)).toBe(`to ${name}`);
        await served;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, ask));
    expect(Object.fromEntries(outcomes)).toEqual({ answered: MATCHES });
    expect(delivered).toBe(MATCHES);
    const served = nodes.reduce((sum, { log }) => sum + log.count("served"), 0);
    const found = nodes.reduce((sum, { log }) => sum + log.count("stray found"), 0);
    // All clients of the first node get proxies of others, and two of three answers come to the wrong node.
    expect(served).toBeGreaterThan(0.45 * MATCHES);
    expect(found).toBeGreaterThan(0.6 * MATCHES);
    for (const node of nodes) {
      expect(node.broker.consistencyCheck()).toEqual([]);
      expect(node.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
      await node[Symbol.asyncDispose]();
    }
  }, 60_000);
});
