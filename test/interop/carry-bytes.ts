import { expect } from "bun:test";

import type { SocksConnection } from "./socks.ts";
import type { RelayConnection, WebSocketRelay } from "./websocket-relay.ts";

/** The first 8 bytes of every connection from a Snowflake client to a server, in hex. */
const TURBOTUNNEL_TOKEN = "1293605d278175f5";

/** Longest wait for each step on the way between client and relay, in ms. */
const BOUND = 5_000;

/** Sends bytes that nobody can guess from a client to the relay and other ones back, and expects them to arrive. */
export async function expectBytesBothWays(
  client: SocksConnection,
  relay: WebSocketRelay,
): Promise<void> {
  const request = crypto.getRandomValues(new Uint8Array(64));
  const reply = crypto.getRandomValues(new Uint8Array(900));
  client.write(request);

  const atRelay: RelayConnection = await relay.connection(BOUND);
  expect(await atRelay.read(request.length, BOUND)).toEqual(request);
  expect(atRelay.token()).toBe(TURBOTUNNEL_TOKEN);

  atRelay.write(reply);
  expect(await client.read(reply.length, BOUND)).toEqual(reply);
}
