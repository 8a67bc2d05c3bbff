import { expect, test } from "bun:test";
import { once } from "node:events";

import { NO_REFUSAL_EVENTS } from "../../src/frontend/refusals.ts";
import { describeRendezvous } from "../kit/rendezvous-contract.ts";
import { TestBroker } from "../kit/test-broker.ts";
import { startWebSocketRendezvous } from "./websocket-rendezvous.ts";

/** A client that has just been let in. */
async function connect(port: number | undefined): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  return socket;
}

describeRendezvous({
  rendezvous: "http",
  clientAddress: "127.0.0.1",
  noticesGone: true,
  async start(destination) {
    const server = startWebSocketRendezvous(destination);
    return {
      async send(message, hangUp) {
        const socket = await connect(server.port);
        hangUp?.addEventListener("abort", () => socket.close());
        const response = Promise.withResolvers<string>();
        socket.addEventListener("message", ({ data }) => response.resolve(String(data)));
        socket.addEventListener("close", () => response.reject(new Error("no response")));
        socket.send(message);
        return response.promise;
      },
      [Symbol.asyncDispose]: () => server.stop(true),
    };
  },
});

test("a client that sends a second message is let go", async () => {
  const t = new TestBroker();
  const server = startWebSocketRendezvous({ broker: t.broker, refusals: NO_REFUSAL_EVENTS });
  t.poll("a");
  const socket = await connect(server.port);
  const offer = JSON.stringify({ type: "offer", sdp: "" });
  for (let sent = 0; sent < 2; sent++) socket.send(`1.0\n${JSON.stringify({ offer })}`);
  await once(socket, "close");
  await server.stop(true);
  expect(t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
  expect(t.events.count("abandoned")).toBe(1);
});
