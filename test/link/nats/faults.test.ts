/** NATS, nodes and the network fail: each node goes on with the peers that it has, and nobody gets a wrong answer. */

import { expect, test } from "bun:test";

import { REACH_POLICY, REFERENCE_POLICY } from "../../../src/broker/policy/matching-policy.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { freePort } from "../../kit/free-port.ts";
import { describeWithNats, NatsServer } from "../../kit/nats-server.ts";
import { until } from "../socket/linked.ts";
import { NatsRelay } from "./nats-relay.ts";
import { newName, TestNode } from "./nodes.ts";

const REFERENCE = { broker: { policy: REFERENCE_POLICY } };
const REACH = { broker: { policy: REACH_POLICY } };

/** Two nodes that leave at the end. */
async function pair(servers: readonly NatsServer[], parts = REFERENCE) {
  const stack = new AsyncDisposableStack();
  const [a, b] = await TestNode.startAll(servers, 2, parts);
  if (a === undefined || b === undefined) throw new Error("there are no two nodes");
  stack.use(a);
  stack.use(b);
  return { a, b, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A match within one node. */
async function expectLocalMatch(node: TestNode, sid: string): Promise<void> {
  const poll = node.poll(sid);
  const offer = node.offer(`offer of ${sid}`);
  expect((await poll.ended).kind).toBe("matched");
  expect(await node.answer(sid, `answer of ${sid}`)).toBe("delivered");
  expect(await offer.ended).toEqual({
    kind: "answered",
    answer: writeDescription(`answer of ${sid}`),
  });
}

/** A client at `to` gets a proxy at `from`. */
async function expectRemoteMatch(from: TestNode, to: TestNode, sid: string): Promise<void> {
  const poll = from.poll(sid);
  await until(() => to.cluster.hintsOf(from.envelopes.id) > 0);
  const offer = to.offer(`offer of ${sid}`);
  expect((await poll.ended).kind).toBe("matched");
  expect(await from.answer(sid, "welcome")).toBe("delivered");
  expect((await offer.ended).kind).toBe("answered");
}

describeWithNats("a fault", () => {
  test("NATS is not there at the start: nodes match their own, and join when it comes", async () => {
    const port = freePort();
    const parts = { name: newName(), ...REFERENCE };
    await using a = new TestNode([{ port }], parts);
    await using b = new TestNode([{ port }], parts);
    await expectLocalMatch(a, "own");
    expect((await a.offer("o").ended).kind).toBe("denied");
    await until(() => a.reports.some((line) => line.includes("connection refused")));
    await using server = await NatsServer.start([], port);
    await until(() => a.cluster.others === 1 && b.cluster.others === 1);
    expect(a.reports).toEqual([
      "NATS can't be reached: connection refused; this node matches the peers that it has, and tries again",
      "connected to NATS",
    ]);
    await expectRemoteMatch(b, a, "far");
    expect(server.port).toBe(port);
  });

  test("NATS dies: nodes match their own at once, and each other when it is back", async () => {
    await using first = await NatsServer.start();
    await using t = await pair([first]);
    const far = t.b.poll("far");
    await until(() => t.a.cluster.hintsOf(t.b.envelopes.id) === 1);
    first.signal("SIGKILL");
    await until(() => !t.a.bus.connected && !t.b.bus.connected);
    const before = performance.now();
    expect((await t.a.offer("o").ended).kind).toBe("denied");
    await expectLocalMatch(t.a, "own");
    expect(performance.now() - before).toBeLessThan(200);
    await using second = await NatsServer.start([], first.port);
    await until(() => t.a.cluster.others === 1 && t.b.cluster.others === 1);
    await until(() => t.a.cluster.hintsOf(t.b.envelopes.id) === 1);
    const offer = t.a.offer("hello");
    expect((await far.ended).kind).toBe("matched");
    expect(await t.b.answer("far", "welcome")).toBe("delivered");
    expect((await offer.ended).kind).toBe("answered");
    expect(second.port).toBe(first.port);
  });

  test("NATS restarts between an offer and its answer: the answer arrives all the same", async () => {
    await using first = await NatsServer.start();
    await using t = await pair([first]);
    const poll = t.b.poll("s1");
    await until(() => t.a.cluster.hintsOf(t.b.envelopes.id) === 1);
    const offer = t.a.offer("hello");
    expect((await poll.ended).kind).toBe("matched");
    await until(() => t.a.log.count("given") === 1);
    first.signal("SIGKILL");
    await until(() => !t.a.bus.connected && !t.b.bus.connected);
    const told = t.b.answer("s1", "welcome");
    await using second = await NatsServer.start([], first.port);
    expect(await told).toBe("delivered");
    expect(await offer.ended).toEqual({ kind: "answered", answer: writeDescription("welcome") });
    expect(await t.b.answer("s1", "again")).toBe("client-gone");
    expect(second.port).toBe(first.port);
  });

  test("NATS dies while another node is asked: the client waits for a proxy here instead", async () => {
    await using server = await NatsServer.start();
    await using t = await pair([server], REACH);
    // A node that takes its time: what comes is left unread for as long as it stands still.
    const far = t.b.poll("far");
    await until(() => t.a.cluster.hintsOf(t.b.envelopes.id) === 1);
    process.kill(server.pid, "SIGSTOP");
    const offer = t.a.offer("hello");
    expect(t.a.broker.load.clients).toBe(1);
    server.signal("SIGKILL");
    await until(() => t.a.broker.waitingClients === 1);
    expect(t.a.log.count("lost")).toBe(1);
    expect(far.outcome).toBeUndefined();
    const own = t.a.poll("own");
    expect((await own.ended).kind).toBe("matched");
    expect(await t.a.answer("own", "welcome")).toBe("delivered");
    expect((await offer.ended).kind).toBe("answered");
  });

  test("a node dies: the others ask the next one at once, and forget it", async () => {
    await using server = await NatsServer.start();
    const [a, b, c] = await TestNode.startAll([server], 3, REFERENCE);
    if (a === undefined || b === undefined || c === undefined) throw new Error("not three");
    await using stack = new AsyncDisposableStack();
    stack.use(a);
    stack.use(c);
    for (let i = 0; i < 100; i++) b.poll(`b${i}`);
    const there = c.poll("there");
    await until(() => a.cluster.hintsOf(b.envelopes.id) === 100);
    await until(() => a.cluster.hintsOf(c.envelopes.id) === 1);
    await b[Symbol.asyncDispose]();
    // What is sent before the server has noticed runs into its time limit.
    while ((await a.bus.request(b.subject, Buffer.alloc(0), 100)).kind !== "nobody");
    const before = performance.now();
    const offers = Array.from({ length: 5 }, (_, i) => a.offer(`o${i}`));
    expect((await there.ended).kind).toBe("matched");
    expect(performance.now() - before).toBeLessThan(200);
    expect(await c.answer("there", "welcome")).toBe("delivered");
    await until(() => offers.every(({ outcome }) => outcome !== undefined));
    expect(a.log.count("node-gone")).toBeGreaterThan(0);
    expect(a.cluster.others).toBe(1);
  });

  test("the network splits between two NATS servers: each side matches its own, then all again", async () => {
    const [east, west] = [freePort(), freePort()];
    await using eastServer = await NatsServer.start(clusterArgs(east));
    using relay = new NatsRelay(east);
    await using westServer = await NatsServer.start([
      ...clusterArgs(west),
      `--routes=nats://127.0.0.1:${relay.port}`,
    ]);
    const policy = { ...REACH_POLICY, clientWait: 1_000 };
    const parts = { name: newName(), broker: { policy } };
    await using a = new TestNode([eastServer], parts);
    await using a2 = new TestNode([eastServer], parts);
    await using b = new TestNode([westServer], parts);
    await until(() => a.cluster.others === 2 && b.cluster.others === 2);
    await expectRemoteMatch(b, a, "before");
    relay.cut();
    // Until the presence of the other side does not come any more.
    await until(() => a.cluster.others === 1 && b.cluster.others === 0);
    await expectLocalMatch(b, "own");
    await expectRemoteMatch(a2, a, "same side");
    expect((await b.offer("o").ended).kind).toBe("denied");
    relay.restore();
    await until(() => a.cluster.others === 2 && b.cluster.others === 2);
    await expectRemoteMatch(b, a, "after");
  }, 30_000);
});

function clusterArgs(port: number): string[] {
  return ["--cluster_name=test", `--cluster=nats://127.0.0.1:${port}`, "--no_advertise"];
}
