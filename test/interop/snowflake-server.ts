import { once } from "node:events";
import { createServer, type Server } from "node:net";

import { freePort } from "../kit/free-port.ts";
import { startChild } from "./child-process.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface SnowflakeServer extends AsyncDisposable {
  /** The WebSocket that proxies connect to. */
  readonly url: string;
}

/** Upstream's server, a managed pluggable transport. In Tor's place behind it is a port that says everything back. */
export async function startSnowflakeServer(program: string): Promise<SnowflakeServer> {
  const stage = new AsyncDisposableStack();
  try {
    const directory = stage.use(temporaryDirectory());
    const echo = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
    stage.defer(() => void echo.close());
    const { child, match } = await startChild(
      [program, "-disable-tls"],
      /^SMETHOD snowflake (127\.0\.0\.1:\d+)/,
      {
        env: {
          TOR_PT_MANAGED_TRANSPORT_VER: "1",
          TOR_PT_SERVER_TRANSPORTS: "snowflake",
          TOR_PT_SERVER_BINDADDR: `snowflake-127.0.0.1:${freePort()}`,
          TOR_PT_ORPORT: `127.0.0.1:${await listen(echo)}`,
          TOR_PT_STATE_LOCATION: directory.path,
          TOR_PT_EXIT_ON_STDIN_CLOSE: "1",
        },
      },
    );
    stage.use(child);
    return { url: `ws://${match[1]}/`, [Symbol.asyncDispose]: () => stage.disposeAsync() };
  } catch (error) {
    await stage.disposeAsync();
    throw error;
  }
}

/** Listens on a free loopback port, and returns it. */
async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
