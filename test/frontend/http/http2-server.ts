/** A broker behind HTTP/2, and what its peers ask. */

import { expect } from "bun:test";

import type { HttpPortParts } from "../../../src/frontend/http/http-port.ts";
import { until } from "../../interop/waiting.ts";
import { startTestServer, type TestServer } from "../../kit/test-server.ts";
import { ANY_CERTIFICATE } from "../../tls/any-certificate.ts";
import { field, get, Http2Connection, post } from "./raw-http2.ts";

export function startTlsServer(parts: Partial<HttpPortParts> = {}): TestServer {
  return startTestServer({ tls: ANY_CERTIFICATE, ...parts });
}

/** The body of a poll. */
export function poll(sid: string): string {
  return JSON.stringify({ Sid: sid, Version: "1.3", NAT: "open", AcceptedRelayPattern: "$" });
}

/** A poll of a proxy with an address and a session of its own; there are 65,536. */
export function pollOf(serial: number, stream: number): Buffer {
  const address = `198.18.${(serial >> 8) & 255}.${serial & 255}`;
  return post(stream, "/proxy", poll(`sid ${serial}`), field("x-forwarded-for", address));
}

/** The number of a client's stream. */
export function streamOf(serial: number): number {
  return 1 + 2 * serial;
}

export function untilWaiting({ broker }: TestServer, count: number): Promise<true> {
  return until(5_000, `${count} waiting`, () =>
    broker.load.waitingProxies === count ? true : undefined,
  );
}

/** Whether a fresh connection is served, and all is well. */
export async function isServed({ port, bugs, broker }: TestServer): Promise<boolean> {
  using connection = await Http2Connection.open(port);
  connection.send(get(1));
  const outcome = await connection.outcome(1);
  expect({ outcome, bugs, wrong: broker.consistencyCheck() }).toEqual({
    outcome: { status: 200 },
    bugs: [],
    wrong: [],
  });
  return true;
}
