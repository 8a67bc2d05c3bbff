import { expect, test } from "bun:test";

import { AmpWay } from "../../bench/amp-way.ts";
import { approachTo, type Transport, TRANSPORTS } from "../../bench/approach.ts";
import { Peers } from "../../bench/peers.ts";
import { Tally } from "../../bench/tally.ts";
import { NO_CONNECTION_EVENTS } from "../../src/http/server.ts";
import { startTestServer } from "../kit/test-server.ts";
import { ANY_CERTIFICATE } from "../tls/any-certificate.ts";
import { type Fault, startStubBroker } from "./stub-broker.ts";

/** Longest time for what takes some milliseconds, in ms. */
const PATIENCE = 5000;

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("patience ended");
    await Bun.sleep(1);
  }
}

/** Why the promise rejects. */
async function reasonOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error);
  }
  return "it does not";
}

test("a sound broker: matches, no errors, and never more proxies waiting than asked for", async () => {
  using broker = startStubBroker("none");
  const peers = new Peers(approachTo(broker.port), 1 << 20);
  await peers.startProxies(16, 2);
  await until(() => broker.mostWaiting() === 16);
  peers.startClients(2);
  await until(() => peers.tally.matches >= 100);
  await peers.stopClients();
  expect([...peers.tally.errors]).toEqual([]);
  expect(peers.tally.waiting).toBe(16);
  expect(broker.mostWaiting()).toBe(16);
  expect(peers.tally.latencies).toHaveLength(peers.tally.matches);
  // Each poll has a session id of its own: those that wait, and one a match. Each request has an address.
  expect(broker.sessionIds.size).toBeGreaterThanOrEqual(100 + 16);
  expect(broker.addresses.size).toBeGreaterThanOrEqual(3 * 100 + 16);
  peers.close();
  await until(() => peers.tally.waiting === 0);
  expect([...peers.tally.errors]).toEqual([]);
});

/** Whether each request of a peer comes on a connection of its own. */
const IS_FRESH: Readonly<Record<Transport, boolean>> = {
  plain: false,
  tls: false,
  "tls-fresh": true,
  h2: false,
  "h2-fresh": true,
};

test.each([...TRANSPORTS])("%s: matches, no errors, connections kept or new", async (transport) => {
  let opened = 0;
  await using broker = startTestServer({
    tls: transport === "plain" ? undefined : ANY_CERTIFICATE,
    events: { ...NO_CONNECTION_EVENTS, opened: () => void opened++ },
  });
  const peers = new Peers(approachTo(broker.port, transport), 1 << 20);
  await peers.startProxies(16, 2);
  await until(() => peers.tally.waiting === 16);
  peers.startClients(2);
  await until(() => peers.tally.matches >= 50);
  await peers.stopClients();
  peers.close();
  expect([...peers.tally.errors]).toEqual([]);
  // Proxies, spares of two pools, and clients; or the proxies' polls, and three requests a match.
  if (IS_FRESH[transport]) expect(opened).toBeGreaterThanOrEqual(16 + 3 * 50);
  else expect(opened).toBeLessThanOrEqual(16 + 4 + 2);
});

const FAULTS: readonly [Exclude<Fault, "none">, string][] = [
  ["wrong answer", "/client: not the answer to this offer"],
  ["changed offer", "/proxy: not an offer that was made"],
  ["denied", '/client: error "no snowflake proxies currently available"'],
  ["too soon", '/proxy: status "polled too soon"'],
  ["client gone", '/answer: status "client gone"'],
  ["status 500", "/client: HTTP status 500"],
  ["not JSON", "/client: not JSON"],
];

test.each(FAULTS)("%s is an error", async (fault, reason) => {
  using broker = startStubBroker(fault);
  const peers = new Peers(approachTo(broker.port), 1 << 20);
  await peers.startProxies(8, 1);
  await until(() => broker.mostWaiting() === 8);
  peers.startClients(1);
  await until(() => peers.tally.errorCount > 0);
  peers.close();
  expect([...peers.tally.errors.keys()]).toContain(reason);
});

test("clients behind an AMP cache: matches, no errors, a tally of their own", async () => {
  using broker = startStubBroker("none");
  const peers = new Peers(approachTo(broker.port), 1 << 20);
  const amp = new Tally();
  await peers.startProxies(24, 3);
  await until(() => broker.mostWaiting() === 24);
  peers.startClients(1);
  peers.startClients(2, amp, () => new AmpWay(broker.port));
  await until(() => peers.tally.matches >= 20 && amp.matches >= 40);
  await peers.stopClients();
  peers.close();
  expect([...peers.tally.errors, ...amp.errors]).toEqual([]);
  expect(amp.latencies).toHaveLength(amp.matches);
});

const AMP_FAULTS: readonly [Exclude<Fault, "none">, string][] = [
  ["wrong answer", "/amp/client: not the answer to this offer"],
  ["denied", '/amp/client: error "no snowflake proxies currently available"'],
  ["status 500", "/amp/client: HTTP status 500"],
  ["not JSON", "/amp/client: not JSON"],
  ["not armored", "/amp/client: no armored response"],
];

test.each(AMP_FAULTS)("%s is an error of clients behind an AMP cache", async (fault, reason) => {
  using broker = startStubBroker(fault);
  const peers = new Peers(approachTo(broker.port), 1 << 20);
  const amp = new Tally();
  await peers.startProxies(8, 1);
  await until(() => broker.mostWaiting() === 8);
  peers.startClients(1, amp, () => new AmpWay(broker.port));
  await until(() => amp.errorCount > 0);
  peers.close();
  expect([...amp.errors.keys()]).toContain(reason);
});

test("a server that is gone is an error of every peer", async () => {
  const broker = startStubBroker("none");
  const peers = new Peers(approachTo(broker.port), 1 << 20);
  await peers.startProxies(8, 0);
  await until(() => broker.mostWaiting() === 8);
  broker[Symbol.dispose]();
  await until(() => peers.tally.errorCount === 8);
  expect([...peers.tally.errors]).toEqual([["the server closed the connection", 8]]);
  peers.close();
});

test("pools that could run empty are refused", async () => {
  const peers = new Peers(approachTo(1), 1);
  expect(await reasonOf(peers.startProxies(28, 4))).toContain("too few");
});
