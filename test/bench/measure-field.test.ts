import { expect, test } from "bun:test";

import { measureField } from "../../bench/measure-field.ts";
import type { Handler } from "../../src/http/message.ts";
import { NO_CONNECTION_EVENTS } from "../../src/http/server.ts";
import { openPort } from "../kit/http-frontend.ts";
import { ANY_CERTIFICATE } from "../tls/any-certificate.ts";

const PLAIN = { status: 200, fields: [] } as const;

/** Answers every poll at once; `body` is what it says. One more connection than it may have closes another. */
function startServer(body: string, maxConnections = 100) {
  let opened = 0;
  const addresses = new Map<string, number>();
  const handler: Handler = ({ fields }, exchange) => {
    const address = fields.get("x-forwarded-for") ?? "none";
    addresses.set(address, (addresses.get(address) ?? 0) + 1);
    exchange.reply({ head: PLAIN, body });
  };
  const port = openPort(handler, {
    tls: ANY_CERTIFICATE,
    events: { ...NO_CONNECTION_EVENTS, opened: () => void opened++ },
    maxConnections,
  });
  return {
    port: port.port,
    addresses,
    opened: () => opened,
    [Symbol.asyncDispose]: () => port.server.stop(),
  };
}

const NO_MATCH = '{"Status":"no match","Offer":"","NAT":"","NextPoll":9999,"RelayURL":""}';
/** Ten proxies, with three polls each from the start on. */
const LOAD = { proxies: 10, every: 1, warmup: 1, seconds: 2 };

function measure(port: number, load = LOAD) {
  return measureField({ port, pid: process.pid }, load, () => {});
}

test("each proxy polls from its address once in a while, on a connection that is kept", async () => {
  await using server = startServer(NO_MATCH);
  const result = await measure(server.port);
  expect(result.errors).toEqual({});
  expect(server.addresses.size).toBe(10);
  for (const polls of server.addresses.values()) expect(Math.abs(polls - 3)).toBeLessThanOrEqual(1);
  expect(Math.abs(result.polls - 20)).toBeLessThanOrEqual(3);
  expect(server.opened()).toBe(10);
  expect(result.handshakes).toBeLessThanOrEqual(1);
  expect(result.cpuPerPoll).toBeGreaterThan(0);
});

test("the first connections count if there is no warm-up", async () => {
  await using server = startServer(NO_MATCH);
  const { handshakes } = await measure(server.port, { ...LOAD, warmup: 0 });
  expect(handshakes).toBeGreaterThanOrEqual(9);
});

test("a connection that the server has closed is replaced, and counted", async () => {
  await using server = startServer(NO_MATCH, 1);
  const result = await measure(server.port);
  expect(result.errors).toEqual({});
  expect(result.handshakes).toBeGreaterThanOrEqual(result.polls - 1);
});

test("a reply that is wrong is an error", async () => {
  await using server = startServer("{");
  let reason = "";
  try {
    await measure(server.port, { ...LOAD, warmup: 0, seconds: 1 });
  } catch (error) {
    reason = String(error);
  }
  expect(reason).toContain("no poll ended within the window: /proxy: not JSON");
});
