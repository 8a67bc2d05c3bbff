/** A SOCKS5 client (RFC 1928) that asks for a connection without authentication. */

import { createConnection } from "node:net";

import { ByteQueue } from "./byte-queue.ts";

/** Longest wait for each reply of the SOCKS server, in ms. */
const REPLY_BOUND = 5_000;

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const CONNECT = 1;
const DOMAIN_NAME = 3;
const SUCCEEDED = 0;

export interface SocksConnection extends Disposable {
  write(bytes: Uint8Array): void;
  /** The next `length` bytes from the other end, waiting at most `bound` ms. */
  read(length: number, bound: number): Promise<Uint8Array>;
}

/** Asks the SOCKS server at a loopback port for a connection to a host, and resolves when it grants one. */
export async function connectThroughSocks(
  socksPort: number,
  host: string,
  port: number,
): Promise<SocksConnection> {
  const socket = createConnection(socksPort, "127.0.0.1");
  const arrived = new ByteQueue();
  socket.on("data", (bytes) => arrived.push(Buffer.from(bytes)));
  // "close" follows every error, and ends what readers wait for.
  socket.on("error", () => undefined);
  socket.on("close", () => arrived.end());
  try {
    socket.write(Uint8Array.of(VERSION, 1, NO_AUTHENTICATION));
    expectBytes(await arrived.take(2, REPLY_BOUND), [VERSION, NO_AUTHENTICATION]);
    const name = Buffer.from(host);
    socket.write(
      Uint8Array.of(VERSION, CONNECT, 0, DOMAIN_NAME, name.length, ...name, port >> 8, port & 0xff),
    );
    // The reply ends with an IPv4 address and a port that say nothing.
    expectBytes(await arrived.take(10, REPLY_BOUND), [VERSION, SUCCEEDED]);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    write: (bytes) => void socket.write(bytes),
    read: (length, bound) => arrived.take(length, bound),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function expectBytes(reply: Uint8Array, expected: readonly number[]): void {
  if (expected.some((byte, index) => reply[index] !== byte)) {
    throw new Error(`the SOCKS server replied ${Buffer.from(reply).toString("hex")}`);
  }
}
