/**
 * A way in over WebSocket: a connection brings one message and is given one response. Nobody speaks it; it is the
 * example of docs/adding-a-rendezvous.md, and works.
 */

import type { RendezvousMethod } from "../../src/broker/broker.ts";
import { type Destination, exchange } from "../../src/frontend/rendezvous.ts";
import { parseAddress } from "../../src/messages/address-text.ts";

/** A way in of its own right has a name of its own here. */
const METHOD: RendezvousMethod = "http";

/** The longest message that is held, in bytes: what other ways in take. */
const MESSAGE_LIMIT = 100_000;

/** Seconds until a silent connection is closed: longer than a client's deadline of 5 s. */
const IDLE_TIMEOUT = 16;

interface Client {
  readonly hungUp: AbortController;
  /** Whether its message has come: one is all it may send. */
  asked: boolean;
}

/** Listens at once, on a free port of the loopback interface. */
export function startWebSocketRendezvous(destination: Destination): Bun.Server<Client> {
  return Bun.serve<Client>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, server) {
      const data: Client = { hungUp: new AbortController(), asked: false };
      return server.upgrade(request, { data }) ? undefined : new Response(null, { status: 426 });
    },
    websocket: {
      // Whatever anybody sends, the time and the memory that it takes are bounded.
      maxPayloadLength: MESSAGE_LIMIT,
      idleTimeout: IDLE_TIMEOUT,
      sendPings: false,
      async message(socket, message) {
        const client = socket.data;
        if (client.asked) {
          socket.close();
          return;
        }
        client.asked = true;
        // Not looked into, not kept, not logged. There is always a response, and never an exception.
        const response = await exchange(destination, Buffer.from(message), {
          rendezvous: METHOD,
          // Undefined if the address is a middleman's: it is then taken from the offer.
          address: parseAddress(socket.remoteAddress),
          gone: client.hungUp.signal,
        });
        socket.send(response);
        socket.close();
      },
      // A client that hangs up frees the proxy that it was matched with.
      close: (socket) => socket.data.hungUp.abort(),
    },
  });
}
