/** `/client`: a client's offer in, the answer of a proxy out. */

import type { OfferOutcome } from "../../broker/broker.ts";
import { decodeLegacyClientPoll, isLegacyClientPoll } from "../../messages/client-poll.ts";
import { decodeUtf8 } from "../../messages/utf8.ts";
import { type Destination, exchange, offer, type WayIn } from "../rendezvous.ts";
import type { Connection } from "./connection.ts";
import { clientAddress } from "./peer-address.ts";
import { corsStatus, corsText, unreadableBody } from "./replies.ts";
import { readBody } from "./request-body.ts";

export async function serveClient(
  destination: Destination,
  request: Request,
  connection: Connection,
): Promise<Response> {
  const body = await readBody(request, connection.bodyTimeout);
  if (typeof body === "string") {
    destination.refusals.refused("client", body);
    return unreadableBody();
  }
  const wayIn: WayIn = {
    rendezvous: "http",
    address: clientAddress(request.headers, () => connection.socketAddress()),
    gone: connection.gone,
  };
  // Returned, not awaited: while the client waits, nothing of this function stays in memory.
  return isLegacyClientPoll(body)
    ? serveLegacy(destination, body, firstNatHeader(request.headers), wayIn)
    : exchange(destination, body, wayIn).then(corsText);
}

/** A client of before 2021: what became of its offer is told by the status. */
async function serveLegacy(
  { broker, refusals }: Destination,
  body: Uint8Array,
  natHeader: string,
  wayIn: WayIn,
): Promise<Response> {
  const decoded = decodeLegacyClientPoll(decodeUtf8(body), natHeader);
  if (!decoded.ok) {
    refusals.refused("client", decoded.refusal);
    return corsStatus(400);
  }
  return offer(broker, decoded.value, wayIn).then(legacyResponse);
}

/** The first `Snowflake-NAT-Type` line; the server joins several with commas. */
function firstNatHeader(headers: Headers): string {
  const joined = headers.get("snowflake-nat-type") ?? "";
  const comma = joined.indexOf(",");
  return comma === -1 ? joined : joined.slice(0, comma).trim();
}

function legacyResponse(outcome: OfferOutcome): Response {
  switch (outcome.kind) {
    case "answered":
      return corsText(outcome.answer);
    case "denied":
      return corsStatus(503);
    case "timed-out":
      return corsStatus(504);
    case "unknown-bridge":
      return corsStatus(400);
  }
}
