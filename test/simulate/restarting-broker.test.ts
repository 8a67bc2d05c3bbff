import { expect, test } from "bun:test";

import { writeDescription } from "../../src/messages/session-description.ts";
import { RestartingBroker } from "../../src/simulate/restarting-broker.ts";
import { sessionId, settle, TestBroker, Watched } from "../kit/test-broker.ts";

const poll = (sid: string) => ({
  sid: sessionId(sid),
  type: "standalone" as const,
  nat: "unrestricted" as const,
  clients: 0,
  relayPattern: "snowflake.torproject.net$",
  address: undefined,
});

const offer = {
  offer: writeDescription("offer"),
  nat: "unknown",
  fingerprint: undefined,
  address: undefined,
  rendezvous: "http",
} as const;

test("a restart drains, leaves nobody listening for a while, and forgets everything", async () => {
  const { clock, broker: first } = new TestBroker();
  const brokers = [first, new TestBroker({ clock }).broker];
  const broker = new RestartingBroker(clock, () => brokers.shift() ?? first);
  const matched = new Watched((gone) => broker.poll(poll("matched"), gone));
  const client = new Watched((gone) => broker.offer(offer, gone));
  await settle();
  const waiting = new Watched((gone) => first.poll({ ...poll("waits"), waited: 0 }, gone));
  void broker.restart(3_000);
  await settle();
  expect(matched.outcome?.kind).toBe("matched");
  expect(waiting.outcome?.kind).toBe("idle");

  expect(
    await broker.answer({ sid: sessionId("matched"), answer: writeDescription("answer") }),
  ).toEqual({
    kind: "delivered",
  });
  await settle();
  expect(client.outcome?.kind).toBe("answered");
  expect(broker.poll(poll("late"), new AbortController().signal)).rejects.toThrow("nobody listens");

  clock.advance(3_000);
  const again = new Watched((gone) => broker.poll(poll("again"), gone));
  await settle();
  expect(again.outcome).toBeUndefined();
  expect(await broker.sessions()).toMatchObject({ total: 1 });
  expect(broker.consistencyCheck()).toEqual([]);
});
