/** What somebody who has just started a broker on their own machine wants to know next. */

import type { Options } from "./options.ts";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "::1"]);

/**
 * The commands that connect a real proxy and a real client to a broker at `url`, for a broker without TLS that only
 * this machine can reach; nothing for any other, whose operator knows.
 */
export function newcomerHints(options: Options, url: string): string {
  const { hostname } = options.addr;
  if (options.transport.kind === "tls" || hostname === undefined || !LOOPBACK.has(hostname)) {
    return "";
  }
  return `proxy: snowflake-proxy -broker ${url} -stun stun:localhost:3478 -keep-local-addresses -allow-non-tls-relay -verbose
client: TOR_PT_MANAGED_TRANSPORT_VER=1 TOR_PT_CLIENT_TRANSPORTS=snowflake TOR_PT_STATE_LOCATION=. snowflake-client -url ${url} -ice stun:localhost:3478 -keep-local-addresses
`;
}
