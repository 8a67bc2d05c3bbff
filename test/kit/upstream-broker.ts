/** The Go broker that this one stands in for, where the environment names its binary. */

import { join } from "node:path";

/** What has to be given where it is needed. */
export const UPSTREAM_BROKER_NEEDED =
  "SNOWFLAKE_UPSTREAM_BROKER=/path/to/broker, the binary of upstream's broker";

/**
 * The path of the binary that SNOWFLAKE_UPSTREAM_BROKER names, or of `broker` in the directory SNOWFLAKE_PEERS_DIR;
 * undefined if there is neither. Throws if SNOWFLAKE_UPSTREAM_BROKER names no program.
 */
export function findUpstreamBroker(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { SNOWFLAKE_UPSTREAM_BROKER: named = "", SNOWFLAKE_PEERS_DIR: peers = "" } = environment;
  if (named !== "") {
    if (Bun.which(named) === null)
      throw new Error(`SNOWFLAKE_UPSTREAM_BROKER: ${named} is no program`);
    return named;
  }
  const besides = join(peers, "broker");
  return peers !== "" && Bun.which(besides) !== null ? besides : undefined;
}
