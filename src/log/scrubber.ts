/** Keeps out of a text what must never be logged. */

import { replaceAddresses } from "./address-scanner.ts";

/** What stands in a log where something has been taken out. */
export const SCRUBBED = "[scrubbed]";

/**
 * Where a session description or an ICE candidate begins: an SDP attribute, the first line of an SDP, or the `sdp`
 * member of a JSON object. Line ends and quotes may have been escaped, more than once even.
 */
const SESSION_DESCRIPTION = /a=candidate|v=0(?:[\r\n]|\\+[rn])|"sdp\\*"\s*:/i;

/**
 * Returns `line` with every IP address replaced by `[scrubbed]`: all that upstream's scrubber takes out and more (see
 * `replaceAddresses` for what counts as an address). Session descriptions should not get as far as a log; should one
 * do so, everything from its beginning on is replaced. Scrubbing twice changes nothing more.
 */
export function scrub(line: string): string {
  const cut = line.search(SESSION_DESCRIPTION);
  if (cut === -1) return replaceAddresses(line, SCRUBBED);
  return replaceAddresses(line.slice(0, cut), SCRUBBED) + SCRUBBED;
}
