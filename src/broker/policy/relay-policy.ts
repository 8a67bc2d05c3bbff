/** Which proxies may serve this broker's clients, by the relays they are willing to reach. */

import {
  admits,
  covers,
  parseRelayPattern,
  type RelayPattern,
} from "../../messages/relay-pattern.ts";

export interface RelayPolicy {
  /** Whether a proxy with this pattern may serve; null: it named none. */
  accepts(pattern: string | null): boolean;
}

/** The rule of `--allowed-relay-pattern`: a proxy's pattern must cover it. */
export function coveringPolicy(allowed: RelayPattern): RelayPolicy {
  return {
    accepts: (pattern) => pattern !== null && covers(parseRelayPattern(pattern), allowed),
  };
}

/** The rule where no pattern was configured: a proxy must be willing to reach every bridge there is. */
export function bridgeHostPolicy(hosts: readonly string[]): RelayPolicy {
  return {
    accepts(pattern) {
      if (pattern === null) return false;
      const parsed = parseRelayPattern(pattern);
      return hosts.every((host) => admits(parsed, host));
    },
  };
}
