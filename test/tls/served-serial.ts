/** Which certificate a port serves. */

import { connect } from "node:tls";

/** Shakes hands on a new connection to 127.0.0.1; returns the serial number of the certificate. */
export async function servedSerial(
  port: number,
  trust?: { readonly ca: string; readonly servername: string },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({
    host: "127.0.0.1",
    port,
    ...(trust ?? { rejectUnauthorized: false }),
  });
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("closed before the handshake")));
  socket.once("secureConnect", () => resolve(socket.getPeerCertificate().serialNumber));
  return promise.finally(() => socket.destroy());
}
