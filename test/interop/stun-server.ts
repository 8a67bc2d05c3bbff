/**
 * A STUN server by which a client can find out its NAT type: coturn on two loopback addresses, two ports each. A client
 * whose address looks the same from both finds itself unrestricted, and may then be given any proxy.
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";

import { ChildProcess } from "./child-process.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./waiting.ts";

const ADDRESSES = ["127.0.0.1", "127.0.0.2"] as const;
/** A STUN binding request (RFC 5389, section 6) without attributes: type, length, magic cookie, transaction id. */
const BINDING_REQUEST = Buffer.from("000100002112a442000102030405060708090a0b", "hex");
const BINDING_RESPONSE = 0x0101;

export interface StunServer extends AsyncDisposable {
  /** As ICE wants it: `stun:host:port`. */
  readonly url: string;
}

/** Resolves when the server answers. `port`: its UDP port, the next one is used too; by default two free ones. */
export async function startStunServer(port?: number): Promise<StunServer> {
  const listening = port ?? (await twoFreePorts());
  const stage = new AsyncDisposableStack();
  try {
    const directory = stage.use(temporaryDirectory());
    stage.use(
      new ChildProcess([
        ...["turnserver", "-n", "--stun-only", "--no-cli", "--no-tcp", "--no-tls", "--no-dtls"],
        ...ADDRESSES.flatMap((address) => ["--listening-ip", address]),
        ...["--listening-port", String(listening), "--log-file", "stdout"],
        ...["--pidfile", join(directory.path, "pid"), "--db", join(directory.path, "db")],
      ]),
    );
    await answered(listening);
    const url = `stun:${ADDRESSES[0]}:${listening}`;
    return { url, [Symbol.asyncDispose]: () => stage.disposeAsync() };
  } catch (error) {
    await stage.disposeAsync();
    throw error;
  }
}

/** Waits until the server answers binding requests on its last address and port. */
async function answered(port: number): Promise<void> {
  const socket = createSocket("udp4");
  let responded = false;
  socket.on("message", (message) => {
    responded ||= message.length >= 2 && message.readUInt16BE() === BINDING_RESPONSE;
  });
  // Nobody listens yet: the port is reported as unreachable until somebody does.
  socket.on("error", () => undefined);
  try {
    await until(5_000, "answer from the STUN server", () => {
      if (responded) return true;
      socket.send(BINDING_REQUEST, port + 1, ADDRESSES[1]);
      return undefined;
    });
  } finally {
    socket.close();
  }
}

/** A UDP port that is free, as is the next one, on both addresses. */
async function twoFreePorts(): Promise<number> {
  return until(5_000, "two free UDP ports", async () => {
    const sockets: Socket[] = [];
    try {
      const port = await bindUdp(sockets, ADDRESSES[0], 0);
      await bindUdp(sockets, ADDRESSES[0], port + 1);
      await bindUdp(sockets, ADDRESSES[1], port);
      await bindUdp(sockets, ADDRESSES[1], port + 1);
      return port;
    } catch {
      return undefined;
    } finally {
      for (const socket of sockets) socket.close();
    }
  });
}

/** Binds a socket and adds it to `sockets`; returns its port. Rejects if the port is taken. */
async function bindUdp(sockets: Socket[], address: string, port: number): Promise<number> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.bind(port, address);
  await once(socket, "listening");
  return socket.address().port;
}
