/** `/debug`: how many sessions there are, for people and scripts. */

import type { SessionCounts } from "../../broker/broker.ts";
import type { NatType } from "../../messages/nat-type.ts";
import { PROXY_TYPES } from "../../messages/proxy-type.ts";

/** The order of the NAT lines, which scripts may count on. */
const NAT_LINES: readonly NatType[] = [
  "restricted",
  "unrestricted",
  "strict",
  "moderate",
  "open",
  "unknown",
];

/** The page: known proxy types that occur, then all NAT types. No line feed at the end. */
export function formatSessionCounts(counts: SessionCounts): string {
  const lines = [`current snowflakes available: ${counts.total}`];
  for (const type of PROXY_TYPES) {
    const count = counts.byType[type];
    if (count > 0 || type === "unknown") lines.push(`\t${type} proxies: ${count}`);
  }
  lines.push("NAT Types available:");
  for (const nat of NAT_LINES) lines.push(`\t${nat}: ${counts.byNat[nat]}`);
  return lines.join("\n");
}
