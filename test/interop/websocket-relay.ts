/** The relay behind the proxies: a WebSocket server that reads what a client says in its stream, and answers it. */

import { ByteQueue } from "./byte-queue.ts";
import { TurbotunnelPeer } from "./turbotunnel.ts";
import { until } from "./waiting.ts";

/** One proxy's connection to the relay, and through it one client's stream. */
export interface RelayConnection {
  /** When the client's first byte came, in ms, by `performance.now()`. */
  readonly since: number;
  /** The first 8 bytes that came, in hex. */
  token(): string | undefined;
  /** The next `length` bytes of the client's stream, waiting at most `bound` ms. */
  read(length: number, bound: number): Promise<Uint8Array>;
  /** Sends bytes (at most 1000) to the client's stream. */
  write(bytes: Uint8Array): void;
}

export interface WebSocketRelay extends AsyncDisposable {
  readonly url: string;
  /** The next connection on which a client has spoken, each once; rejects if there is none within `bound` ms. */
  connection(bound: number): Promise<RelayConnection>;
}

interface Conversation {
  readonly peer: TurbotunnelPeer;
  readonly arrived: ByteQueue;
}

export function startWebSocketRelay(): WebSocketRelay {
  const spoken: RelayConnection[] = [];
  const server = Bun.serve<Conversation>({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch(request) {
      const arrived = new ByteQueue();
      const peer = new TurbotunnelPeer((bytes) => arrived.push(bytes));
      if (server.upgrade(request, { data: { peer, arrived } })) return undefined;
      return new Response(null, { status: 400 });
    },
    websocket: {
      open(socket) {
        const { peer, arrived } = socket.data;
        void arrived.begun.then(() =>
          spoken.push({
            since: performance.now(),
            token: () => peer.token,
            read: (length, bound) => arrived.take(length, bound),
            write: (bytes) => void socket.sendBinary(peer.say(bytes)),
          }),
        );
      },
      message(socket, message) {
        socket.data.peer.push(Buffer.from(message));
      },
      close(socket) {
        socket.data.arrived.end();
      },
    },
  });
  return {
    url: `ws://127.0.0.1:${server.port}/`,
    connection: (bound) => until(bound, "byte of a client at the relay", () => spoken.shift()),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
