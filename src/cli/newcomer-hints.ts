/** What somebody who has just started a broker on their own machine wants to know next. */

import type { ListeningOptions } from "./options.ts";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "::1"]);

/**
 * Not STUN's own port: there Debian's coturn listens once it is installed, without the second address that a client
 * needs to learn its NAT type.
 */
const STUN_PORT = 3500;

/**
 * The commands that connect a real proxy and a real client to a broker at `url`, for a broker without TLS that only
 * this machine can reach; nothing for any other, whose operator knows. Addresses, not names: where `localhost` is ::1
 * too, peers lose the client's 5 s to it.
 */
export function newcomerHints(options: ListeningOptions, url: string): string {
  const { hostname } = options.addr;
  if (options.transport.kind !== "plain" || hostname === undefined || !LOOPBACK.has(hostname)) {
    return "";
  }
  const broker = url.replace("//localhost:", "//127.0.0.1:");
  const stun = `stun:127.0.0.1:${STUN_PORT}`;
  return `With Debian's snowflake-proxy, snowflake-client and coturn, each in a terminal of its own:
stun:   turnserver -n -S -L 127.0.0.1 -L 127.0.0.2 -p ${STUN_PORT}
proxy:  snowflake-proxy -broker ${broker} -stun ${stun} -keep-local-addresses -verbose
client: TOR_PT_MANAGED_TRANSPORT_VER=1 TOR_PT_CLIENT_TRANSPORTS=snowflake snowflake-client -url ${broker} -ice ${stun} -keep-local-addresses -log /dev/stderr
The client names a SOCKS port; whatever connects through it (curl --socks5-hostname 127.0.0.1:PORT http://x/) goes to the proxy.
`;
}
