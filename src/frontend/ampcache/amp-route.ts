/** `/amp/client/`: a client's offer in the path, the answer of a proxy in a page. What asks is an AMP cache. */

import type { Departure } from "../../broker/broker.ts";
import type { Reply } from "../../http/message.ts";
import { encodeClientError } from "../../messages/client-poll.ts";
import { corsAmpPage } from "../http/replies.ts";
import { type Destination, exchange } from "../rendezvous.ts";
import { decodeAmpPath } from "./amp-path.ts";
import { encodeAmpArmor } from "./armor.ts";

/**
 * Serves the path below the route, percent-decoded. The status is 200 whatever comes of it: caches do not pass on
 * others. The client's address is hidden behind the cache's.
 */
export async function serveAmp(
  destination: Destination,
  rest: string,
  gone: Departure,
): Promise<Reply> {
  // Returned, not awaited: while the client waits, the path does not stay in memory.
  return respond(destination, rest, gone).then((text) => corsAmpPage(encodeAmpArmor(text)));
}

async function respond(destination: Destination, rest: string, gone: Departure): Promise<string> {
  const path = decodeAmpPath(rest);
  if (!path.ok) {
    destination.refusals.refused("client", "broken");
    return encodeClientError("cannot decode URL path");
  }
  const { message } = path;
  return exchange(destination, message, { rendezvous: "ampcache", address: undefined, gone });
}
