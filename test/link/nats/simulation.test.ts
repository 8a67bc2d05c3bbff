import { expect, test } from "bun:test";

import fc from "fast-check";

import type { OfferOutcome, PollOutcome } from "../../../src/broker/broker.ts";
import { REACH_POLICY, REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { Cluster } from "../../../src/link/nats/cluster.ts";
import { Envelopes } from "../../../src/link/nats/envelope.ts";
import { NAT_TYPES } from "../../../src/messages/nat-type.ts";
import { descriptionText } from "../../../src/messages/session-description.ts";
import { FakeClock } from "../../kit/fake-clock.ts";
import { Random } from "../../kit/random.ts";
import { TestBroker, type Watched } from "../../kit/test-broker.ts";
import { ClusterLog, SECRET } from "./nodes.ts";
import { VirtualBus, VirtualNetwork } from "./virtual-bus.ts";

/**
 * Random histories of peers at three nodes, in virtual time, on a bus that loses every tenth message: peers poll, offer,
 * answer anywhere, hang up and repeat session ids, time passes, nodes lose their bus, and nodes die. Invariants hold all
 * the time; at the end everybody has an outcome, and no answer went astray or came twice.
 */
const NODES = 3;
const at = fc.nat(NODES - 1);
const nat = fc.constantFrom(...NAT_TYPES);
const sid = fc.integer({ min: 0, max: 5 }).map((n) => `s${n}`);
const which = fc.nat(1000);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("poll" as const), at, sid, nat }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("offer" as const), at, nat }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), at, sid }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("proxy hangs up" as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("client hangs up" as const), which }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(4000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("bus goes" as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("bus comes" as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("node dies" as const), at }) },
);

/** How finely time passes, in ms, and how long a message takes. */
const STEP = 5;

class Node {
  readonly t: TestBroker;
  readonly bus: VirtualBus;
  readonly cluster: Cluster;
  readonly warnings: string[] = [];

  constructor(network: VirtualNetwork, clock: FakeClock, random: () => number, isReach: boolean) {
    this.t = new TestBroker({ policy: isReach ? REACH_POLICY : REFERENCE_POLICY }, clock);
    this.bus = new VirtualBus(network);
    this.cluster = new Cluster({
      bus: this.bus,
      broker: this.t.broker,
      clock,
      random,
      envelopes: new Envelopes({ secret: SECRET, cluster: "test", timeOfDay: () => clock.now() }),
      name: "test",
      events: new ClusterLog(),
      log: { warn: (message) => void this.warnings.push(message) },
    });
    this.t.broker.join(this.cluster);
    this.bus.connect(this.cluster);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function history(steps: readonly StepOf[], isReach: boolean, seed: number): Promise<void> {
  const clock = new FakeClock();
  const random = new Random(seed);
  const network = new VirtualNetwork(clock, STEP);
  network.isLost = () => random.next() < 0.1;
  const nodes = Array.from(
    { length: NODES },
    () => new Node(network, clock, () => random.next(), isReach),
  );
  const dead: Node[] = [];
  const node = (index: number): Node => {
    const found = nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  };
  const pass = async (ms: number) => {
    for (let passed = 0; passed <= ms; passed += STEP) {
      clock.advance(STEP);
      await settle();
    }
  };
  const polls: { readonly sid: string; readonly watched: Watched<PollOutcome> }[] = [];
  const offers: { readonly text: string; readonly watched: Watched<OfferOutcome> }[] = [];
  const told: { readonly answer: string; outcome: string | undefined }[] = [];
  for (const [i, next] of steps.entries()) {
    switch (next.do) {
      case "poll":
        polls.push({
          sid: next.sid,
          watched: node(next.at).t.poll(next.sid, { nat: next.nat }),
        });
        break;
      case "offer": {
        const text = `offer ${i}`;
        offers.push({ text, watched: node(next.at).t.offer(text, { nat: next.nat }) });
        break;
      }
      case "answer": {
        const answer = `answer ${i} of ${next.sid}`;
        const record = { answer, outcome: undefined as string | undefined };
        told.push(record);
        void node(next.at)
          .t.answer(next.sid, answer)
          .then((outcome) => (record.outcome = outcome));
        break;
      }
      case "proxy hangs up":
        polls[next.which % Math.max(polls.length, 1)]?.watched.hangUp();
        break;
      case "client hangs up":
        offers[next.which % Math.max(offers.length, 1)]?.watched.hangUp();
        break;
      case "wait":
        await pass(next.ms);
        break;
      case "bus goes":
        if (node(next.at).bus.connected) node(next.at).bus.disconnect(node(next.at).cluster);
        break;
      case "bus comes":
        if (!node(next.at).bus.connected) node(next.at).bus.connect(node(next.at).cluster);
        break;
      case "node dies":
        await node(next.at).bus.close();
        dead.push(node(next.at));
        nodes[next.at] = new Node(network, clock, () => random.next(), isReach);
    }
    await settle();
    for (const { t } of nodes) expect(t.broker.consistencyCheck()).toEqual([]);
  }
  await pass(30_000);
  expect(polls.filter(({ watched }) => watched.outcome === undefined)).toEqual([]);
  expect(offers.filter(({ watched }) => watched.outcome === undefined)).toEqual([]);
  expect(told.filter(({ outcome }) => outcome === undefined)).toEqual([]);
  const got = new Map<string, string>();
  for (const { text, watched } of offers) {
    if (watched.outcome?.kind !== "answered") continue;
    const answer = descriptionText(watched.outcome.answer);
    expect(got.has(answer)).toBe(false);
    got.set(answer, text);
    // It comes from a proxy that was given this offer.
    const sids = polls.flatMap((poll) => {
      const { outcome } = poll.watched;
      return outcome?.kind === "matched" && descriptionText(outcome.offer) === text
        ? [poll.sid]
        : [];
    });
    expect(sids).toContain(answer.split(" ").at(-1) ?? "");
  }
  for (const { answer, outcome } of told) {
    if (outcome === "delivered") expect(got.has(answer)).toBe(true);
  }
  for (const { t, warnings } of [...nodes, ...dead]) {
    expect(t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
    expect(warnings.filter((line) => !line.includes("(late)"))).toEqual([]);
  }
}

type StepOf = typeof step extends fc.Arbitrary<infer T> ? T : never;

test.each([
  ["the reference's", false],
  ["our own", true],
])(
  "no history breaks %s policy, leaves anybody waiting or mixes up answers",
  async (_, isReach) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), fc.integer(), (steps, seed) =>
        history(steps, isReach, seed),
      ),
      { numRuns: 150 },
    );
  },
  60_000,
);
