/** How a TLS connection begins, as bytes. */

import { connect } from "node:tls";

/** A ClientHello that any server of TLS 1.2 or 1.3 answers; one character a byte. */
export async function recordClientHello(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (_, bytes) => resolve(bytes.toString("latin1")) },
  });
  const socket = connect({ host: "127.0.0.1", port: listener.port, rejectUnauthorized: false });
  // It is cut off in the middle of its handshake.
  socket.on("error", () => {});
  try {
    return await promise;
  } finally {
    socket.destroy();
    listener.stop(true);
  }
}
