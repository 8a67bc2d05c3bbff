/** Gives peers that all run on loopback an address each, as the broker sees them. */

import { once } from "node:events";
import { createConnection, createServer } from "node:net";

export interface OwnAddress extends AsyncDisposable {
  /** Where the broker is reached from that address. */
  readonly url: string;
}

/** A port whose connections go on to a broker (without TLS) from `address`, one of 127.0.0.0/8. */
export async function startOwnAddress(brokerUrl: string, address: string): Promise<OwnAddress> {
  const { hostname, port } = new URL(brokerUrl);
  const server = createServer((peer) => {
    const broker = createConnection({ host: hostname, port: Number(port), localAddress: address });
    peer.on("error", () => broker.destroy());
    broker.on("error", () => peer.destroy());
    peer.pipe(broker);
    broker.pipe(peer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const listening = server.address();
  if (listening === null || typeof listening === "string") throw new Error("there is no port");
  return {
    url: `http://127.0.0.1:${listening.port}/`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}
