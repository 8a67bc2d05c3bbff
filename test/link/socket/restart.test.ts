import { describe, expect, test } from "bun:test";

import { REACH_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { newAddress, SocketDirectory, TestCore, TestFrontend, until } from "./linked.ts";

/** Stops a core, as its process does when it is told to end, and waits until its frontends have noticed. */
async function lose(core: TestCore, ...frontends: readonly TestFrontend[]): Promise<void> {
  await core.socket.stop();
  await until(() => frontends.every((frontend) => !frontend.broker.connected));
}

describe("when a core restarts", () => {
  test("waiting polls wait on at the next one, and are matched there", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using near = await TestFrontend.start(directory.path);
    using far = await TestFrontend.start(directory.path);
    const polls = Array.from({ length: 200 }, (_, i) => near.poll(`p${i}`));
    await near.settled();
    near.clock.advance(4000);
    await lose(first, near, far);

    await using second = await TestCore.start(directory.path);
    await near.connected();
    await far.connected();
    await near.settled();
    expect(second.load.waitingProxies).toBe(200);
    expect(polls.every((poll) => poll.outcome === undefined)).toBe(true);
    const offers = polls.map((_, i) => far.offer(`o${i}`));
    await until(() => polls.every((poll) => poll.outcome?.kind === "matched"));
    for (const i of polls.keys()) expect(await near.answer(`p${i}`, "a")).toBe("delivered");
    await until(() => offers.every((offer) => offer.outcome?.kind === "answered"));
    expect(second.matchmaker.broker.consistencyCheck()).toEqual([]);
  });

  test("they wait for no longer than they would have, and are told the same next time", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    await frontend.settled();
    frontend.clock.advance(6000);
    await lose(first, frontend);
    await using second = await TestCore.start(directory.path);
    await frontend.connected();
    await frontend.settled();
    second.matchmaker.clock.advance(2000);
    await frontend.settled();
    expect(poll.outcome).toBeUndefined();
    second.matchmaker.clock.advance(2000);
    await until(() => poll.outcome !== undefined);
    // It came 9 to 10 s ago, and its address may come again 20 s after that.
    expect(poll.outcome?.kind).toBe("idle");
    expect(poll.outcome?.nextPoll).toBeWithin(10_000, 11_001);
  });

  test("they are not held to their interval again, but those that come new are", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const address = newAddress();
    const poll = frontend.poll("p", { address });
    await frontend.settled();
    await lose(first, frontend);
    // A household: one proxy waits on, its neighbour comes while there is no core, and again when there is one.
    const meanwhile = frontend.poll("meanwhile", { address });
    await using second = await TestCore.start(directory.path);
    await frontend.connected();
    await until(() => meanwhile.outcome !== undefined);
    expect(meanwhile.outcome?.kind).toBe("too-soon");
    const afterwards = frontend.poll("afterwards", { address });
    await until(() => afterwards.outcome !== undefined);
    expect(afterwards.outcome?.kind).toBe("too-soon");
    expect(poll.outcome).toBeUndefined();
    expect(second.matchmaker.events.words.filter((word) => word.startsWith("p "))).toEqual([
      "p admitted",
    ]);
  });

  test("a poll whose time is up by then goes home", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    await frontend.settled();
    await lose(first, frontend);
    frontend.clock.advance(28_000);
    expect(poll.outcome).toBeUndefined();
    await using second = await TestCore.start(directory.path);
    await frontend.connected();
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
    await frontend.settled();
    expect(second.matchmaker.events.words).toEqual([]);
  });

  test("a poll that has waited longer than the next core has any wait goes home", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path, {}, { policy: REACH_POLICY });
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    await frontend.settled();
    await lose(first, frontend);
    frontend.clock.advance(12_000);
    await using second = await TestCore.start(directory.path);
    await frontend.connected();
    await until(() => poll.outcome !== undefined);
    expect(second.matchmaker.events.words.at(-1)).toStartWith("p idle after 12");
    expect(second.load.waitingProxies).toBe(0);
  });

  test("a poll whose proxy hung up meanwhile does not wait again", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    await frontend.settled();
    await lose(first, frontend);
    poll.hangUp();
    await until(() => poll.outcome !== undefined);
    await using second = await TestCore.start(directory.path);
    await frontend.connected();
    await frontend.settled();
    expect(second.load.waitingProxies).toBe(0);
  });

  test("offers in flight are given to other proxies, and the answers of the first find nobody", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    const offer = frontend.offer("o");
    await until(() => poll.outcome?.kind === "matched");
    await lose(first, frontend);
    const answered = frontend.answer("p", "a");
    const another = frontend.poll("another");
    await using second = await TestCore.start(directory.path);
    await frontend.connected();
    expect(await answered).toBe("client-gone");
    await until(() => another.outcome !== undefined);
    expect(another.outcome).toMatchObject({ kind: "matched", offer: writeDescription("o") });
    expect(await frontend.answer("another", "b")).toBe("delivered");
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("b") });
    expect(second.bugs).toEqual([]);
  });

  test("offers in flight time out when no core comes in time", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    const offer = frontend.offer("o");
    await until(() => poll.outcome?.kind === "matched");
    await lose(first, frontend);
    frontend.clock.advance(5_999);
    expect(offer.outcome).toBeUndefined();
    frontend.clock.advance(1);
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "timed-out" });
  });

  test("an offer whose client hung up meanwhile is not asked again", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    frontend.poll("p");
    const offer = frontend.offer("o");
    await frontend.settled();
    await lose(first, frontend);
    offer.hangUp();
    const another = frontend.poll("another");
    await using second = await TestCore.start(directory.path);
    await frontend.connected();
    await frontend.settled();
    expect(offer.outcome).toEqual({ kind: "timed-out" });
    expect(another.outcome).toBeUndefined();
    expect(second.load).toEqual({ waitingProxies: 1, clients: 0 });
  });

  test("those who wait are there before those who offer, whoever came first", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    const offer = frontend.offer("o");
    const poll = frontend.poll("p");
    await using core = await TestCore.start(directory.path);
    await frontend.connected();
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome?.kind).toBe("matched");
    expect(offer.outcome).toBeUndefined();
    expect(core.load.clients).toBe(1);
  });

  test("what is asked meanwhile is asked there", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    const poll = frontend.poll("p");
    const offer = frontend.offer("o");
    const counts = frontend.broker.sessions();
    const page = frontend.broker.page("page");
    frontend.broker.count({ route: "client", reason: "json", n: 1 });
    await using core = await TestCore.start(directory.path, { page: async () => Buffer.of(1) });
    await frontend.connected();
    await until(() => poll.outcome?.kind === "matched");
    expect(await frontend.answer("p", "a")).toBe("delivered");
    await until(() => offer.outcome?.kind === "answered");
    expect((await counts).total).toBe(1);
    expect(await page).toEqual({ kind: "page", bytes: Buffer.of(1) });
    expect(core.counts).toEqual([]);
  });

  test("its frontends say so once each time, and not at every attempt", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    await lose(first, frontend);
    const end = frontend.clock.now() + 5000;
    await until(() => {
      frontend.clock.advance(10);
      return frontend.clock.now() >= end;
    });
    expect(frontend.reports).toEqual([
      "connected to the core",
      "the connection to the core is lost: it hung up",
      "cannot reach the core: ENOENT",
    ]);
  });

  test("it is found at once, however long the one before was looked for", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    await until(() => {
      frontend.clock.advance(10);
      return frontend.clock.now() >= 5_000;
    });
    const first = await TestCore.start(directory.path);
    await frontend.connected();
    frontend.clock.advance(2_000);
    await lose(first, frontend);
    await using second = await TestCore.start(directory.path);
    const lost = frontend.clock.now();
    await frontend.connected();
    expect(frontend.clock.now() - lost).toBeLessThan(300);
    expect(second.bugs).toEqual([]);
  });
});

describe("when there is no core", () => {
  test("a poll goes home when its time is up", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    const poll = frontend.poll("p");
    frontend.clock.advance(9_999);
    await until(() => frontend.reports.length > 0);
    expect(poll.outcome).toBeUndefined();
    frontend.clock.advance(1);
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
  });

  test("an offer is denied after 5 s", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    const offer = frontend.offer("o");
    frontend.clock.advance(4_999);
    await until(() => frontend.reports.length > 0);
    expect(offer.outcome).toBeUndefined();
    frontend.clock.advance(1);
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "denied" });
  });

  test("everything else is given up after a second", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    const answer = frontend.answer("p", "a");
    const counts = frontend.broker.sessions();
    const page = frontend.broker.page("page");
    frontend.clock.advance(999);
    await until(() => frontend.reports.length > 0);
    expect(Bun.peek.status(answer)).toBe("pending");
    frontend.clock.advance(1);
    expect(await answer).toBe("client-gone");
    expect(await counts).toMatchObject({ total: 0 });
    expect(await page).toEqual({ kind: "unavailable" });
  });

  test("only so many calls wait for one", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path, { limits: { calls: 2 } });
    frontend.poll("1");
    frontend.poll("2");
    const third = frontend.offer("o");
    await until(() => third.outcome !== undefined);
    expect(third.outcome).toEqual({ kind: "denied" });
  });

  test("a frontend drains at once", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    const poll = frontend.poll("p");
    await frontend.broker.drain();
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
  });
});
