/** Clients of one node get proxies of another. Each test has nodes and a NATS server of its own. */

import { describe, expect, test } from "bun:test";

import { REACH_POLICY, REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { descriptionText, writeDescription } from "../../../src/messages/session-description.ts";
import { describeWithNats, NatsServer } from "../../kit/nats-server.ts";
import { until } from "../socket/linked.ts";
import { TestNode } from "./nodes.ts";

describeWithNats("a cluster", () => {
  const REFERENCE = { broker: { policy: REFERENCE_POLICY } };
  const REACH = { broker: { policy: REACH_POLICY } };

  /** Starts nodes that leave the cluster at the end of the test. */
  async function cluster(count: number, parts = REFERENCE) {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await NatsServer.start());
    const nodes = await TestNode.startAll([server], count, parts);
    for (const node of nodes) stack.use(node);
    const node = (index: number): TestNode => {
      const found = nodes[index];
      if (found === undefined) throw new Error(`there is no node ${index}`);
      return found;
    };
    return { node, nodes, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  /** Waits until the others know that a node has proxies: a poll has just come there. */
  async function known(nodes: readonly TestNode[], from: TestNode): Promise<void> {
    await until(() =>
      nodes.every((node) => node === from || node.cluster.hintsOf(from.envelopes.id) > 0),
    );
  }

  describe("a client at one node and a proxy at another", () => {
    test("are matched, with the relay URL of the client's bridge, and the answer comes back", async () => {
      await using all = await cluster(2);
      const poll = all.node(1).poll("s1");
      await known(all.nodes, all.node(1));
      const offer = all.node(0).offer("hello", { nat: "restricted" });
      expect(await poll.ended).toMatchObject({
        kind: "matched",
        offer: writeDescription("hello"),
        clientNat: "restricted",
        relayUrl: "wss://snowflake.torproject.net/",
      });
      expect(await all.node(1).answer("s1", "welcome")).toBe("delivered");
      expect(await offer.ended).toEqual({ kind: "answered", answer: writeDescription("welcome") });
      expect(all.node(0).events.words.at(-1)).toStartWith("hello answered");
      expect(all.node(1).events.words.at(-1)).toBe("answer of standalone");
      for (const { broker } of all.nodes) {
        expect(broker.consistencyCheck()).toEqual([]);
        expect(broker.load).toEqual({ waitingProxies: 0, clients: 0 });
      }
    });

    test("are matched when the answer is posted at a third node", async () => {
      await using all = await cluster(3);
      const poll = all.node(1).poll("s1");
      await known(all.nodes, all.node(1));
      const offer = all.node(0).offer("hello");
      expect((await poll.ended).kind).toBe("matched");
      expect(await all.node(2).answer("s1", "welcome")).toBe("delivered");
      expect(await offer.ended).toEqual({ kind: "answered", answer: writeDescription("welcome") });
      expect(await all.node(2).answer("s1", "once more")).toBe("client-gone");
      expect(await all.node(1).answer("s1", "once more")).toBe("client-gone");
    });

    test("a local match is answered at another node too", async () => {
      await using all = await cluster(2);
      const poll = all.node(0).poll("s1");
      const offer = all.node(0).offer("hello");
      expect((await poll.ended).kind).toBe("matched");
      expect(await all.node(1).answer("s1", "welcome")).toBe("delivered");
      expect((await offer.ended).kind).toBe("answered");
      expect(all.node(0).log.count("served")).toBe(0);
    });

    test("the client has its own proxies first", async () => {
      await using all = await cluster(2);
      const foreign = all.node(1).poll("foreign");
      await known(all.nodes, all.node(1));
      const own = all.node(0).poll("own");
      void all.node(0).offer("hello");
      expect((await own.ended).kind).toBe("matched");
      expect(foreign.outcome).toBeUndefined();
    });

    test("strict proxies of another node come before open ones of a third", async () => {
      await using all = await cluster(3);
      const open = all.node(1).poll("open");
      const strict = all.node(2).poll("strict", { nat: "restricted" });
      await known(all.nodes, all.node(1));
      await known(all.nodes, all.node(2));
      void all.node(0).offer("hello", { nat: "unrestricted" });
      expect((await strict.ended).kind).toBe("matched");
      void all.node(0).offer("hello", { nat: "restricted" });
      expect((await open.ended).kind).toBe("matched");
    });
  });

  describe("nobody anywhere", () => {
    test("denies at once, and asks nobody", async () => {
      await using all = await cluster(3);
      expect((await all.node(0).offer("hello").ended).kind).toBe("denied");
      expect(all.node(0).events.words).toEqual(["hello denied after 0"]);
    });

    test("a proxy that has just left: its node says no, and the client is denied at once", async () => {
      await using all = await cluster(2);
      const poll = all.node(1).poll("s1");
      await known(all.nodes, all.node(1));
      poll.hangUp();
      const before = performance.now();
      expect((await all.node(0).offer("hello").ended).kind).toBe("denied");
      expect(performance.now() - before).toBeLessThan(400);
      expect(all.node(1).log.count("not served")).toBe(1);
    });

    test("the next node is asked when the first has just lost its last proxy", async () => {
      await using all = await cluster(3);
      const gone = Array.from({ length: 50 }, (_, i) => all.node(1).poll(`gone${i}`));
      const there = all.node(2).poll("there");
      await known(all.nodes, all.node(1));
      await known(all.nodes, all.node(2));
      for (const poll of gone) poll.hangUp();
      const offers = Array.from({ length: 5 }, (_, i) => all.node(0).offer(`o${i}`));
      expect((await there.ended).kind).toBe("matched");
      await until(() => offers.filter(({ outcome }) => outcome?.kind === "denied").length === 4);
    });
  });

  describe("the waiting room", () => {
    test("a client waits at one node, a proxy comes to another", async () => {
      await using all = await cluster(2, REACH);
      const offer = all.node(0).offer("hello");
      await until(() => all.node(0).broker.waitingClients === 1);
      const poll = all.node(1).poll("s1");
      expect((await poll.ended).kind).toBe("matched");
      expect(await all.node(1).answer("s1", "welcome")).toBe("delivered");
      expect((await offer.ended).kind).toBe("answered");
    });

    test("the last proxy has just left: the client waits, and gets the next one at once", async () => {
      await using all = await cluster(2, REACH);
      const left = all.node(1).poll("left");
      await known(all.nodes, all.node(1));
      left.hangUp();
      const offer = all.node(0).offer("hello");
      await until(() => all.node(0).log.count("nobody") === 1);
      expect(offer.outcome).toBeUndefined();
      const before = performance.now();
      expect((await all.node(1).poll("next").ended).kind).toBe("matched");
      // Not with the word that comes once a second.
      expect(performance.now() - before).toBeLessThan(500);
      expect(await all.node(1).answer("next", "welcome")).toBe("delivered");
      expect((await offer.ended).kind).toBe("answered");
    });

    test("the client that can use the fewest pools goes first", async () => {
      await using all = await cluster(2, REACH);
      void all.node(0).offer("easy", { nat: "unrestricted" });
      void all.node(0).offer("hard", { nat: "restricted" });
      await until(() => all.node(0).broker.waitingClients === 2);
      const poll = await all.node(1).poll("s1").ended;
      expect(poll.kind === "matched" && descriptionText(poll.offer)).toBe("hard");
    });

    test("several nodes wait for one proxy: one gets it, nobody is lost", async () => {
      await using all = await cluster(3, REACH);
      const offers = [all.node(0).offer("a"), all.node(1).offer("b")];
      await until(() => all.nodes.reduce((n, { broker }) => n + broker.waitingClients, 0) === 2);
      const polls = ["s1", "s2"].map((sid) => all.node(2).poll(sid));
      for (const [i, poll] of polls.entries()) {
        expect((await poll.ended).kind).toBe("matched");
        expect(await all.node(2).answer(`s${i + 1}`, `answer ${i}`)).toBe("delivered");
      }
      for (const offer of offers) expect((await offer.ended).kind).toBe("answered");
    });
  });

  describe("the second chance", () => {
    const FAST = { broker: { policy: { ...REACH_POLICY, secondChance: 100 } } };

    test("a silent proxy of another node: a third node is asked, the first answer counts", async () => {
      await using all = await cluster(3, FAST);
      const sids = (node: number) => Array.from({ length: 40 }, (_, i) => `n${node}-${i}`);
      const polls = [1, 2].flatMap((n) =>
        sids(n).map((sid) => ({ n, sid, watched: all.node(n).poll(sid) })),
      );
      await known(all.nodes, all.node(1));
      await known(all.nodes, all.node(2));
      const offer = all.node(0).offer("hello");
      const given = () => polls.filter(({ watched }) => watched.outcome?.kind === "matched");
      await until(() => given().length === 2);
      const [first, second] = given();
      expect(first?.n).not.toBe(second?.n);
      expect(await all.node(second?.n ?? 0).answer(second?.sid ?? "", "later")).toBe("delivered");
      expect(await all.node(first?.n ?? 0).answer(first?.sid ?? "", "too late")).toBe(
        "client-gone",
      );
      expect(await offer.ended).toEqual({ kind: "answered", answer: writeDescription("later") });
    });

    test("a silent proxy here: another node is asked", async () => {
      await using all = await cluster(2, FAST);
      const own = all.node(0).poll("own");
      const foreign = Array.from({ length: 40 }, (_, i) => all.node(1).poll(`f${i}`));
      await known(all.nodes, all.node(1));
      const offer = all.node(0).offer("hello");
      expect((await own.ended).kind).toBe("matched");
      await until(() => foreign.some(({ outcome }) => outcome?.kind === "matched"));
      const index = foreign.findIndex(({ outcome }) => outcome?.kind === "matched");
      expect(await all.node(1).answer(`f${index}`, "welcome")).toBe("delivered");
      expect((await offer.ended).kind).toBe("answered");
      expect(await all.node(0).answer("own", "too late")).toBe("client-gone");
    });
  });

  test("nodes get clients of others in proportion to their proxies", async () => {
    await using all = await cluster(3);
    const few = Array.from({ length: 20 }, (_, i) => all.node(1).poll(`few${i}`));
    const many = Array.from({ length: 2_000 }, (_, i) => all.node(2).poll(`many${i}`));
    // The numbers of the presence that comes once a second.
    await until(() => all.node(0).cluster.hintsOf(all.node(1).envelopes.id) === few.length);
    await until(() => all.node(0).cluster.hintsOf(all.node(2).envelopes.id) === many.length);
    for (let i = 0; i < 100; i++) void all.node(0).offer(`o${i}`);
    await until(() => all.node(0).log.count("given") === 100);
    const matched = (polls: typeof few) =>
      polls.filter(({ outcome }) => outcome?.kind === "matched").length;
    expect(matched(few) + matched(many)).toBe(100);
    // One is the share of the few. More than 8 come once in a million runs; if both were asked equally often it were 20.
    expect(matched(few)).toBeLessThanOrEqual(8);
  });

  test("a client that disconnects is not answered any more", async () => {
    await using all = await cluster(2);
    const poll = all.node(1).poll("s1");
    await known(all.nodes, all.node(1));
    const offer = all.node(0).offer("hello");
    expect((await poll.ended).kind).toBe("matched");
    offer.hangUp();
    expect((await offer.ended).kind).toBe("timed-out");
    expect(await all.node(1).answer("s1", "welcome")).toBe("client-gone");
  });

  test("a node that retires gets no clients of others, and finishes those it has", async () => {
    await using all = await cluster(2);
    const [one, two] = [all.node(1).poll("s1"), all.node(1).poll("s2")];
    await until(() => all.node(0).cluster.hintsOf(all.node(1).envelopes.id) > 0);
    const offer = all.node(0).offer("hello");
    await until(() => (one.outcome ?? two.outcome)?.kind === "matched");
    all.node(1).cluster.retire();
    const drained = all.node(1).broker.drain();
    await until(() => all.node(0).cluster.others === 0);
    expect((await all.node(0).offer("another").ended).kind).toBe("denied");
    const sid = one.outcome?.kind === "matched" ? "s1" : "s2";
    expect(await all.node(1).answer(sid, "welcome")).toBe("delivered");
    expect((await offer.ended).kind).toBe("answered");
    await drained;
  });
});
