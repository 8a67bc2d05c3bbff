import { describe, expect, test } from "bun:test";

import { parseBridgeList } from "../../src/broker/bridge-list.ts";
import type { Poll } from "../../src/broker/broker.ts";
import { MOST_HELD_CHARACTERS } from "../../src/broker/local-broker.ts";
import { Address } from "../../src/messages/address.ts";
import { parseFingerprint } from "../../src/messages/fingerprint.ts";
import { NAT_TYPES } from "../../src/messages/nat-type.ts";
import { parseRelayPattern } from "../../src/messages/relay-pattern.ts";
import { writeDescription } from "../../src/messages/session-description.ts";
import { settle, TestBroker } from "../kit/test-broker.ts";

const RELAY_URL = "wss://snowflake.torproject.net/";

describe("a match", () => {
  test("carries the offer to the proxy and the answer back", async () => {
    const t = new TestBroker();
    const poll = t.poll("p");
    t.clock.advance(1000);
    const offer = t.offer("the offer", { nat: "restricted" });
    await settle();
    expect(poll.outcome).toEqual({
      kind: "matched",
      offer: writeDescription("the offer"),
      clientNat: "restricted",
      relayUrl: RELAY_URL,
      nextPoll: 19_000,
    });
    expect(offer.outcome).toBeUndefined();
    t.clock.advance(200);
    expect(await t.answer("p", "the answer")).toBe("delivered");
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("the answer") });
    expect(t.events.words).toEqual([
      "p received",
      "p admitted",
      "p matched after 1000",
      "the offer answered after 200",
      "answer of standalone",
    ]);
    expect(t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test("an answer is delivered once", async () => {
    const t = new TestBroker();
    t.poll("p");
    const offer = t.offer("o");
    expect(await t.answer("p", "first")).toBe("delivered");
    expect(await t.answer("p", "second")).toBe("client-gone");
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("first") });
  });

  test("an answer before the match is refused, and does not reach the next client", async () => {
    const t = new TestBroker();
    t.poll("p");
    expect(await t.answer("p", "early")).toBe("client-gone");
    const offer = t.offer("o");
    await settle();
    expect(offer.outcome).toBeUndefined();
    expect(await t.answer("p", "in time")).toBe("delivered");
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("in time") });
  });

  test("addresses of one IPv6 network are held to one interval", async () => {
    const t = new TestBroker();
    t.poll("p", { address: new Address("2001:db8::1") });
    const second = t.poll("q", { address: new Address("2001:db8::2") });
    await settle();
    expect(second.outcome?.kind).toBe("too-soon");
    const other = t.poll("r", { address: new Address("2001:db8:0:1::1") });
    await settle();
    expect(other.outcome).toBeUndefined();
  });

  test("an answer for an id that nobody has is refused", async () => {
    const t = new TestBroker();
    expect(await t.answer("nobody", "a")).toBe("client-gone");
  });

  test("a client without an answer times out after 5 s, and a later answer finds nobody", async () => {
    const t = new TestBroker();
    t.poll("p");
    const offer = t.offer("o");
    t.clock.advance(4999);
    await settle();
    expect(offer.outcome).toBeUndefined();
    t.clock.advance(1);
    await settle();
    expect(offer.outcome).toEqual({ kind: "timed-out" });
    expect(await t.answer("p", "late")).toBe("client-gone");
  });

  test("a client that hangs up leaves its proxy's answer without a client", async () => {
    const t = new TestBroker();
    t.poll("p");
    const offer = t.offer("o");
    offer.hangUp();
    await settle();
    expect(await t.answer("p", "a")).toBe("client-gone");
    expect(t.events.words).toContain("o abandoned after 0");
    expect(t.broker.load.clients).toBe(0);
  });

  test("a client that finds no proxy is denied at once", async () => {
    const t = new TestBroker();
    const offer = t.offer("o");
    await settle();
    expect(offer.outcome).toEqual({ kind: "denied" });
  });

  test("a client that had hung up before takes no proxy", async () => {
    const t = new TestBroker();
    t.poll("p");
    const gone = AbortSignal.abort();
    const outcome = await t.broker.offer(
      {
        offer: writeDescription("o"),
        nat: "open",
        fingerprint: undefined,
        address: undefined,
        rendezvous: "sqs",
      },
      gone,
    );
    expect(outcome).toEqual({ kind: "timed-out" });
    expect(t.broker.load.waitingProxies).toBe(1);
  });
});

describe("a poll", () => {
  test("without a client is told so after 10 s", async () => {
    const t = new TestBroker();
    const poll = t.poll("p");
    t.clock.advance(9999);
    await settle();
    expect(poll.outcome).toBeUndefined();
    t.clock.advance(1);
    await settle();
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 10_000 });
    expect(await t.answer("p", "a")).toBe("client-gone");
  });

  test("whose connection closed is never handed to a client", async () => {
    const t = new TestBroker();
    const gone = t.poll("gone");
    const here = t.poll("here", { clients: 8 });
    gone.hangUp();
    const offer = t.offer("o");
    await settle();
    expect(here.outcome?.kind).toBe("matched");
    expect(offer.outcome).toBeUndefined();
    t.clock.advance(20_000);
  });

  test("whose connection closes in the same turn as the deadline ends once", async () => {
    const t = new TestBroker();
    const poll = t.poll("p");
    t.clock.advance(10_000);
    poll.hangUp();
    await settle();
    expect(t.events.count("p idle")).toBe(1);
    expect(t.events.count("p withdrawn")).toBe(0);
  });

  test("may not come again from its address before its interval is over", async () => {
    const t = new TestBroker();
    const address = new Address("198.51.100.1");
    const first = t.poll("1", { address });
    t.clock.advance(12_345);
    const second = t.poll("2", { address });
    await settle();
    expect(first.outcome).toEqual({ kind: "idle", nextPoll: 10_000 });
    expect(second.outcome).toEqual({ kind: "too-soon", nextPoll: 7655 });
    t.clock.advance(7655);
    const onTheDot = t.poll("3", { address });
    await settle();
    expect(onTheDot.outcome).toEqual({ kind: "too-soon", nextPoll: 0 });
    t.clock.advance(0.5);
    t.poll("4", { address });
    expect(t.broker.load.waitingProxies).toBe(1);
  });

  test("is limited by pool: another NAT class has an allowance of its own", async () => {
    const t = new TestBroker();
    const address = new Address("198.51.100.1");
    for (const nat of ["open", "moderate", "strict"] as const) t.poll(nat, { address, nat });
    expect(t.broker.load.waitingProxies).toBe(3);
    const again = t.poll("again", { address, nat: "unrestricted" });
    await settle();
    expect(again.outcome?.kind).toBe("too-soon");
  });

  test("from an unknown address shares one allowance with all such", async () => {
    const t = new TestBroker();
    t.poll("1", { address: undefined });
    const second = t.poll("2", { address: undefined });
    await settle();
    expect(second.outcome?.kind).toBe("too-soon");
  });

  test("is never told a negative time", async () => {
    const t = new TestBroker({ pollIntervals: { open: 1000, moderate: 0, strict: 0 } });
    const poll = t.poll("p");
    t.clock.advance(10_000);
    await settle();
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 0 });
  });

  test("obeys new intervals from the next poll on", async () => {
    const t = new TestBroker();
    const address = new Address("198.51.100.1");
    t.poll("1", { address });
    t.broker.replacePollIntervals({ open: 60_000, moderate: 1, strict: 1 });
    const tooSoon = t.poll("2", { address });
    await settle();
    expect(tooSoon.outcome).toEqual({ kind: "too-soon", nextPoll: 20_000 });
    t.clock.advance(20_001);
    const third = t.poll("3", { address });
    t.offer("o");
    await settle();
    expect(third.outcome).toMatchObject({ kind: "matched", nextPoll: 60_000 });
  });

  test("is turned away at once when as many proxies wait as may", async () => {
    const t = new TestBroker({ limits: { waitingProxies: 2, clients: 1, rateLimitEntries: 10 } });
    t.poll("1");
    t.poll("2");
    const third = t.poll("3");
    await settle();
    expect(third.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
  });

  test("can be limited no further once the table of addresses is full", () => {
    const t = new TestBroker({
      limits: { waitingProxies: 10, clients: 1, rateLimitEntries: 2 },
    });
    t.poll("1");
    t.poll("2");
    const address = new Address("198.51.100.1");
    t.poll("3", { address });
    t.poll("4", { address });
    expect(t.broker.load.waitingProxies).toBe(4);
  });
});

describe("a session id seen twice", () => {
  test("while waiting: the newer poll stands for it, the older goes home", async () => {
    const t = new TestBroker();
    const older = t.poll("p");
    const newer = t.poll("p");
    await settle();
    expect(older.outcome?.kind).toBe("idle");
    const offer = t.offer("o");
    await settle();
    expect(newer.outcome?.kind).toBe("matched");
    expect(await t.answer("p", "a")).toBe("delivered");
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("a") });
    expect(t.broker.consistencyCheck()).toEqual([]);
  });

  test("while a match is in flight: the newer poll goes home, the match is not touched", async () => {
    const t = new TestBroker();
    t.poll("p");
    const first = t.offer("first");
    const again = t.poll("p", { nat: "strict" });
    await settle();
    expect(again.outcome?.kind).toBe("idle");
    const second = t.offer("second", { nat: "open" });
    await settle();
    expect(second.outcome).toEqual({ kind: "denied" });
    again.hangUp();
    t.clock.advance(4000);
    expect(await t.answer("p", "a")).toBe("delivered");
    expect(first.outcome).toEqual({ kind: "answered", answer: writeDescription("a") });
    expect(t.broker.consistencyCheck()).toEqual([]);
  });
});

describe("which proxy a client gets", () => {
  const reaches: Record<string, readonly string[]> = {
    unrestricted: ["strict", "moderate", "open"],
    open: ["strict", "moderate", "open"],
    moderate: ["moderate", "open"],
    restricted: ["open"],
    strict: ["open"],
    unknown: ["open"],
  };
  for (const nat of NAT_TYPES) {
    test(`a client behind ${nat} searches ${reaches[nat]?.join(", ")}`, async () => {
      const t = new TestBroker();
      const polls = new Map(
        (["open", "moderate", "strict"] as const).map((pool) => [
          pool,
          t.poll(pool, { nat: pool }),
        ]),
      );
      const order: string[] = [];
      for (let i = 0; i < 3; i++) {
        t.offer(`o${i}`, { nat });
        await settle();
        for (const [pool, poll] of polls) {
          if (poll.outcome !== undefined && !order.includes(pool)) order.push(pool);
        }
      }
      expect(order).toEqual([...(reaches[nat] ?? [])]);
    });
  }

  const pools: Record<string, Poll["nat"]> = {
    unrestricted: "open",
    open: "open",
    moderate: "moderate",
    restricted: "strict",
    strict: "strict",
    unknown: "strict",
  };
  for (const nat of NAT_TYPES) {
    test(`a proxy behind ${nat} waits with those behind ${pools[nat]}`, async () => {
      const t = new TestBroker();
      const poll = t.poll("p", { nat });
      // Only a client behind moderate tells the strict pool from the moderate one.
      const searches = pools[nat] === "strict" ? "unrestricted" : "moderate";
      const lessAble = pools[nat] === "open" ? "restricted" : "moderate";
      t.offer("o", { nat: pools[nat] === "strict" ? "moderate" : "restricted" });
      await settle();
      expect(poll.outcome?.kind).toBe(pools[nat] === "open" ? "matched" : undefined);
      t.offer("o2", { nat: pools[nat] === "open" ? lessAble : searches });
      await settle();
      expect(poll.outcome?.kind).toBe("matched");
    });
  }

  test("the least loaded comes first", async () => {
    const t = new TestBroker();
    const busy = t.poll("busy", { clients: 16 });
    const free = t.poll("free", { clients: 0 });
    const some = t.poll("some", { clients: 8 });
    t.offer("1");
    await settle();
    expect([busy.outcome, some.outcome]).toEqual([undefined, undefined]);
    expect(free.outcome?.kind).toBe("matched");
    t.offer("2");
    await settle();
    expect(some.outcome?.kind).toBe("matched");
    expect(busy.outcome).toBeUndefined();
  });
});

describe("bridges and relay patterns", () => {
  const OTHER = "8838024498816A039FCBBAB14E6F40A0843051FA";
  const twoBridges = () => {
    const list = parseBridgeList(
      `{"fingerprint":"2B280B23E1107BB62ABFC40DDCC8824814F80A72","webSocketAddress":"wss://01.snowflake.example/"}\n` +
        `{"fingerprint":"${OTHER}","webSocketAddress":"wss://02.snowflake.example/"}\n`,
    );
    if (!list.ok) throw new Error(list.error);
    return list.bridges;
  };

  test("a client is sent to the bridge it names", async () => {
    const t = new TestBroker({ bridges: twoBridges() });
    const first = t.poll("1", { relayPattern: "snowflake.example$" });
    const second = t.poll("2", { relayPattern: "snowflake.example$", clients: 8 });
    t.offer("a");
    t.offer("b", { fingerprint: parseFingerprint(OTHER.toLowerCase()) });
    await settle();
    expect(first.outcome).toMatchObject({ relayUrl: "wss://01.snowflake.example/" });
    expect(second.outcome).toMatchObject({ relayUrl: "wss://02.snowflake.example/" });
  });

  test("a client that names a bridge that is not in the list takes no proxy", async () => {
    const t = new TestBroker();
    t.poll("p");
    const offer = t.offer("o", { fingerprint: parseFingerprint(OTHER) });
    await settle();
    expect(offer.outcome).toEqual({ kind: "unknown-bridge" });
    expect(t.broker.load.waitingProxies).toBe(1);
  });

  test("without a configured pattern a proxy must admit the host of every bridge", async () => {
    const t = new TestBroker({ bridges: twoBridges() });
    const all = t.poll("all", { relayPattern: "snowflake.example$" });
    const any = t.poll("any", { relayPattern: "$" });
    const one = t.poll("one", { relayPattern: "^01.snowflake.example$" });
    const none = t.poll("none", { relayPattern: null });
    await settle();
    expect([all.outcome, any.outcome]).toEqual([undefined, undefined]);
    const rejected = { kind: "pattern-rejected", nextPoll: 3_600_000 };
    expect(one.outcome).toMatchObject(rejected);
    expect(none.outcome).toMatchObject(rejected);
    expect(t.broker.load.waitingProxies).toBe(2);
  });

  test("with a configured pattern it is upstream's rule, and the address is not noted", async () => {
    const t = new TestBroker({ allowedRelayPattern: parseRelayPattern("") });
    const address = new Address("198.51.100.1");
    const ordinary = t.poll("1", { relayPattern: "snowflake.torproject.net$", address });
    await settle();
    expect(ordinary.outcome?.kind).toBe("pattern-rejected");
    const any = t.poll("2", { relayPattern: "", address });
    await settle();
    expect(any.outcome).toBeUndefined();
  });

  test("a new list holds for the next client; a match in flight keeps its bridge", async () => {
    const t = new TestBroker();
    const before = t.poll("1", { relayPattern: "$" });
    t.offer("a");
    t.broker.replaceBridges(twoBridges());
    const after = t.poll("2", { relayPattern: "$" });
    t.offer("b");
    await settle();
    expect(before.outcome).toMatchObject({ relayUrl: RELAY_URL });
    expect(after.outcome).toMatchObject({ relayUrl: "wss://01.snowflake.example/" });
    expect(await t.answer("1", "a")).toBe("delivered");
  });
});

describe("draining", () => {
  test("sends waiting proxies home, lets matches finish and takes nobody new", async () => {
    const t = new TestBroker();
    t.poll("matched");
    const offer = t.offer("o");
    const waiting = t.poll("waiting");
    let drained = false;
    void t.broker.drain().then(() => {
      drained = true;
    });
    await settle();
    expect(waiting.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
    expect(drained).toBe(false);
    const late = t.poll("late");
    const denied = t.offer("late");
    await settle();
    expect(late.outcome?.kind).toBe("idle");
    expect(denied.outcome).toEqual({ kind: "denied" });
    t.clock.advance(100);
    expect(await t.answer("matched", "a")).toBe("delivered");
    await settle();
    expect(offer.outcome?.kind).toBe("answered");
    expect(drained).toBe(true);
  });

  test("is over at once when nothing is in flight, and after 5 s at most when something is", async () => {
    const idle = new TestBroker();
    await idle.broker.drain();

    const t = new TestBroker();
    t.poll("p");
    t.offer("o");
    const drained = t.broker.drain();
    t.clock.advance(5000);
    await drained;
    expect(t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
  });
});

test("a client beyond the limit of clients in flight is denied", async () => {
  const t = new TestBroker({ limits: { waitingProxies: 10, clients: 1, rateLimitEntries: 10 } });
  t.poll("1");
  t.poll("2");
  t.offer("a");
  const second = t.offer("b");
  await settle();
  expect(second.outcome).toEqual({ kind: "denied" });
});

test("sessions are counted by type and NAT type, matched ones included", async () => {
  const t = new TestBroker();
  t.poll("1", { type: "webext", nat: "restricted" });
  t.poll("2", { type: "standalone", nat: "open" });
  t.offer("o");
  const counts = await t.broker.sessions();
  expect(counts.total).toBe(2);
  expect(counts.byType).toMatchObject({ webext: 1, standalone: 1, badge: 0 });
  expect(counts.byNat).toMatchObject({ restricted: 1, open: 1, unknown: 0 });
  await t.answer("2", "a");
  expect((await t.broker.sessions()).total).toBe(1);
});

test("the offers that clients in flight hold are bounded by their length", async () => {
  const t = new TestBroker();
  for (let n = 0; n < 6; n++) t.poll(`p${n}`);
  // With its quotes.
  const long = "o".repeat(MOST_HELD_CHARACTERS / 4 - 2);
  for (let n = 0; n < 4; n++) t.offer(long);
  const beyond = t.offer("o");
  await settle();
  expect(t.broker.load.clients).toBe(4);
  expect(beyond.outcome).toEqual({ kind: "denied" });
  expect(t.events.count("full")).toBe(1);
  expect(t.broker.consistencyCheck()).toEqual([]);
  t.clock.advance(5_000);
  t.poll("next");
  t.offer(long);
  await settle();
  expect(t.broker.load.clients).toBe(1);
});
