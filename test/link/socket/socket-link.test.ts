import { describe, expect, test } from "bun:test";

import { MAX_FRAME } from "../../../src/link/socket/frame.ts";
import { parseFingerprint } from "../../../src/messages/fingerprint.ts";
import { descriptionText, writeDescription } from "../../../src/messages/session-description.ts";
import { anOffer, newAddress, SocketDirectory, TestCore, TestFrontend, until } from "./linked.ts";

const RELAY_URL = "wss://snowflake.torproject.net/";

/** A core and two frontends, since the peers of a match rarely come to the same one. */
async function link(parts: Parameters<typeof TestCore.start>[1] = {}) {
  const directory = new SocketDirectory();
  const core = await TestCore.start(directory.path, parts);
  const near = await TestFrontend.start(directory.path);
  const far = await TestFrontend.start(directory.path);
  return {
    core,
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.broker.close();
      far.broker.close();
      await core.socket.stop();
      directory[Symbol.dispose]();
      expect(core.bugs).toEqual([]);
      expect(core.matchmaker.broker.consistencyCheck()).toEqual([]);
    },
  };
}

describe("a match over the link", () => {
  test("carries the offer to the proxy and the answer back", async () => {
    await using t = await link();
    const poll = t.near.poll("p");
    await t.near.settled();
    t.core.matchmaker.clock.advance(1000);
    const offer = t.far.offer("the offer", { nat: "restricted" });
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({
      kind: "matched",
      offer: writeDescription("the offer"),
      clientNat: "restricted",
      relayUrl: RELAY_URL,
      nextPoll: 19_000,
    });
    expect(offer.outcome).toBeUndefined();
    expect(await t.near.answer("p", "the answer")).toBe("delivered");
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("the answer") });
    expect(await t.near.answer("p", "again")).toBe("client-gone");
    expect(t.core.load).toEqual({ waitingProxies: 0, clients: 0 });
    expect(t.core.matchmaker.events.words).toEqual([
      "p received",
      "p admitted",
      "p matched after 1000",
      "the offer answered after 0",
      "answer of standalone",
      "answer of nobody",
    ]);
  });

  test("carries texts of any script and of 100,000 characters", async () => {
    await using t = await link();
    const text = "☃🏔\u0000\ufeff\ufffd".repeat(16_666);
    const poll = t.near.poll("подснежник");
    const offer = t.near.offer(text);
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toMatchObject({ kind: "matched", offer: writeDescription(text) });
    expect(await t.far.answer("подснежник", text)).toBe("delivered");
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription(text) });
  });

  test("is refused to a message that fits no frame, and the link goes on", async () => {
    await using t = await link();
    const endless = "x".repeat(MAX_FRAME);
    const offer = t.near.offer(endless);
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "denied" });
    const poll = t.near.poll("p", { relayPattern: endless });
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
    await t.near.settled();
    expect(t.core.socket.frontends).toBe(2);
  });
});

describe("an offer over the link", () => {
  test("is denied when there is no proxy", async () => {
    await using t = await link();
    const offer = t.near.offer("o");
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "denied" });
  });

  test("times out by the core's clock, and a later answer finds nobody", async () => {
    await using t = await link();
    t.near.poll("p");
    const offer = t.near.offer("o");
    await t.near.settled();
    t.core.matchmaker.clock.advance(4999);
    await t.near.settled();
    expect(offer.outcome).toBeUndefined();
    t.core.matchmaker.clock.advance(1);
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "timed-out" });
    expect(await t.near.answer("p", "late")).toBe("client-gone");
  });

  test("for a bridge that is not in the list takes no proxy", async () => {
    await using t = await link();
    t.near.poll("p");
    const fingerprint = parseFingerprint("8838024498816a039fcbbab14e6f40a0843051fa");
    const offer = t.near.offer("o", { fingerprint });
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "unknown-bridge" });
    expect(t.core.load.waitingProxies).toBe(1);
  });

  test("whose client hangs up leaves its proxy's answer without a client", async () => {
    await using t = await link();
    t.near.poll("p");
    const offer = t.far.offer("o");
    await t.far.settled();
    expect(t.core.load.clients).toBe(1);
    offer.hangUp();
    await until(() => offer.outcome !== undefined);
    expect(await t.near.answer("p", "a")).toBe("client-gone");
    expect(t.core.matchmaker.events.words).toContain("o abandoned after 0");
  });

  test("whose client had hung up before takes no proxy", async () => {
    await using t = await link();
    t.near.poll("p");
    const outcome = await t.near.broker.offer(anOffer("o"), AbortSignal.abort());
    expect(outcome).toEqual({ kind: "timed-out" });
    await t.near.settled();
    expect(t.core.load).toEqual({ waitingProxies: 1, clients: 0 });
  });
});

describe("a poll over the link", () => {
  test("without a client is told so by the core's clock", async () => {
    await using t = await link();
    const poll = t.near.poll("p");
    await t.near.settled();
    t.core.matchmaker.clock.advance(10_000);
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 10_000 });
  });

  test("whose connection closed is never handed to a client", async () => {
    await using t = await link();
    const gone = t.near.poll("gone");
    const here = t.near.poll("here", { clients: 8 });
    await t.near.settled();
    gone.hangUp();
    await until(() => gone.outcome !== undefined);
    t.far.offer("o");
    await until(() => here.outcome !== undefined);
    expect(here.outcome?.kind).toBe("matched");
    expect(gone.outcome?.kind).toBe("idle");
    expect(t.core.matchmaker.events.words).toContain("gone withdrawn after 0");
  });

  test("is held to its address's interval, whatever the frontend", async () => {
    await using t = await link();
    const address = newAddress();
    t.near.poll("1", { address });
    await t.near.settled();
    const second = t.far.poll("2", { address });
    await until(() => second.outcome !== undefined);
    expect(second.outcome).toEqual({ kind: "too-soon", nextPoll: 20_000 });
  });

  test("is turned away for its relay pattern", async () => {
    await using t = await link();
    const poll = t.near.poll("p", { relayPattern: null });
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "pattern-rejected", nextPoll: 3_600_000 });
  });
});

test("a frontend that dies takes its waiting polls with it, and nobody else's", async () => {
  await using t = await link();
  for (let i = 0; i < 50; i++) t.near.poll(`near ${i}`);
  t.far.poll("far");
  await t.near.settled();
  await t.far.settled();
  expect(t.core.load.waitingProxies).toBe(51);
  t.near.broker.close();
  await until(() => t.core.load.waitingProxies === 1);
  expect(t.core.matchmaker.events.count("withdrawn")).toBe(50);
  expect(t.core.reports).toContain("a frontend is gone: it hung up");
  const offer = t.far.offer("o");
  await t.far.settled();
  expect(await t.far.answer("far", "a")).toBe("delivered");
  await until(() => offer.outcome !== undefined);
});

test("10,000 calls at once all have their outcome", async () => {
  const limits = { waitingProxies: 10_000, clients: 10_000, rateLimitEntries: 10_000 };
  using directory = new SocketDirectory();
  await using core = await TestCore.start(directory.path, {}, { limits });
  using frontend = await TestFrontend.start(directory.path);
  const sdp = "a=candidate ".repeat(120);
  const polls = Array.from({ length: 10_000 }, (_, i) => frontend.poll(`p${i}`));
  const offers = Array.from({ length: 10_000 }, (_, i) => frontend.offer(`o${i} ${sdp}`));
  await until(() => polls.every((poll) => poll.outcome?.kind === "matched"));
  const answers = polls.map((poll, i) => {
    const given = poll.outcome?.kind === "matched" ? poll.outcome.offer : undefined;
    return frontend.answer(
      `p${i}`,
      `to ${given === undefined ? "nobody" : descriptionText(given)}`,
    );
  });
  expect(new Set(await Promise.all(answers))).toEqual(new Set(["delivered"]));
  await until(() => offers.every((offer) => offer.outcome !== undefined));
  const astray = offers.filter(
    ({ outcome }, i) =>
      outcome?.kind !== "answered" || outcome.answer !== writeDescription(`to o${i} ${sdp}`),
  );
  expect(astray).toEqual([]);
  expect(core.load).toEqual({ waitingProxies: 0, clients: 0 });
});

test("sessions are those of all frontends", async () => {
  await using t = await link();
  t.near.poll("1", { type: "webext", nat: "restricted" });
  await t.near.settled();
  t.far.poll("2", { nat: "moderate" });
  const counts = await t.far.broker.sessions();
  expect(counts).toEqual(await t.core.matchmaker.broker.sessions());
  expect(counts.total).toBe(2);
  expect(counts.byType).toMatchObject({ webext: 1, standalone: 1 });
  expect(counts.byNat).toMatchObject({ restricted: 1, moderate: 1 });
});

describe("a page", () => {
  const long = Buffer.alloc(4 * 1024 * 1024, "one line of a page\n");

  test("comes as the core made it, up to 4 MiB, while other calls go on", async () => {
    await using t = await link({
      page: async (name) =>
        name === "long" ? long : name === "empty" ? new Uint8Array() : undefined,
    });
    const [page, empty, unknown] = await Promise.all([
      t.near.broker.page("long"),
      t.near.broker.page("empty"),
      t.near.broker.page("?"),
      t.near.settled(),
    ]);
    expect(page.kind === "page" && Buffer.compare(page.bytes, long)).toBe(0);
    expect(empty).toEqual({ kind: "page", bytes: Buffer.alloc(0) });
    expect(unknown).toEqual({ kind: "no-such-page" });
  });

  test("that can't be made is unavailable, and told as a bug of ours", async () => {
    const directory = new SocketDirectory();
    const core = await TestCore.start(directory.path, {
      page: async (name) => {
        if (name === "too long") return new Uint8Array(4 * 1024 * 1024 + 1);
        throw new Error("broken");
      },
    });
    const frontend = await TestFrontend.start(directory.path);
    expect(await frontend.broker.page("too long")).toEqual({ kind: "unavailable" });
    expect(await frontend.broker.page("broken")).toEqual({ kind: "unavailable" });
    expect(core.bugs.map(String)).toEqual([
      "Error: a page has more than 4194304 bytes",
      "Error: broken",
    ]);
    frontend.broker.close();
    await core.socket.stop();
    directory[Symbol.dispose]();
  });
});

test("twenty who ask for a page at once all get it, and the core makes it once", async () => {
  let made = 0;
  const asked = Promise.withResolvers<void>();
  await using t = await link({
    page: async () => {
      made++;
      await asked.promise;
      return Buffer.from("figures");
    },
  });
  const asking = Array.from({ length: 20 }, () => t.near.broker.page("p"));
  await t.near.settled();
  asked.resolve();
  for (const page of await Promise.all(asking)) expect(page.kind).toBe("page");
  expect(made).toBe(1);
  expect((await t.near.broker.page("p")).kind).toBe("page");
  expect(made).toBe(2);
});

test("a poll that no core answers is told the interval that was last in force", async () => {
  await using t = await link();
  t.core.matchmaker.broker.replacePollIntervals({ open: 1_000, moderate: 2_000, strict: 3_000 });
  t.core.socket.announceIntervals();
  await t.near.settled();
  t.near.broker.close();
  const outcomes = (["open", "moderate", "unknown"] as const).map((nat) => {
    const poll = t.near.poll(nat, { nat });
    return until(() => poll.outcome !== undefined).then(() => poll.outcome);
  });
  expect(await Promise.all(outcomes)).toEqual(
    [1_000, 2_000, 3_000].map((nextPoll) => ({ kind: "idle" as const, nextPoll })),
  );
});

test("what frontends count reaches the core, in order", async () => {
  await using t = await link();
  t.near.broker.count({ route: "client", reason: "json", n: 1 });
  t.near.broker.count({ route: "proxy", reason: "too-long", n: 4_000_000_000 });
  await t.near.settled();
  expect(t.core.counts).toEqual([
    { route: "client", reason: "json", n: 1 },
    { route: "proxy", reason: "too-long", n: 4_000_000_000 },
  ]);
});

describe("a frontend that drains", () => {
  test("sends its waiting proxies home, lets its matches finish and takes nobody new", async () => {
    await using t = await link();
    t.near.poll("matched");
    await t.near.settled();
    const offer = t.near.offer("o");
    await t.near.settled();
    const waiting = t.near.poll("waiting");
    t.far.poll("far");
    await t.near.settled();
    await t.far.settled();
    let drained = false;
    void t.near.broker.drain().then(() => {
      drained = true;
    });
    await until(() => waiting.outcome !== undefined);
    expect(waiting.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
    expect(drained).toBe(false);
    const late = t.near.poll("late");
    const denied = t.near.offer("late");
    await until(() => late.outcome !== undefined && denied.outcome !== undefined);
    expect(late.outcome?.kind).toBe("idle");
    expect(denied.outcome).toEqual({ kind: "denied" });
    expect(await t.near.answer("matched", "a")).toBe("delivered");
    await until(() => drained);
    expect(offer.outcome?.kind).toBe("answered");
    expect(t.core.load.waitingProxies).toBe(1);
  });

  test("is done at once when nothing is under way", async () => {
    await using t = await link();
    await t.near.broker.drain();
    expect(t.core.socket.frontends).toBe(2);
  });
});
