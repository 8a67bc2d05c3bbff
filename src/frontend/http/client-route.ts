/** `/client`: a client's offer in, the answer of a proxy out. */

import type { Broker, OfferOutcome } from "../../broker/broker.ts";
import {
  type ClientPoll,
  decodeClientPoll,
  decodeLegacyClientPoll,
  encodeClientError,
  isLegacyClientPoll,
} from "../../messages/client-poll.ts";
import { decodeUtf8 } from "../../messages/utf8.ts";
import { encodeOfferOutcome } from "../offer-response.ts";
import type { Connection } from "./connection.ts";
import { clientAddress } from "./peer-address.ts";
import { corsStatus, corsText, unreadableBody } from "./replies.ts";
import { readBody } from "./request-body.ts";

export async function serveClient(
  broker: Broker,
  request: Request,
  connection: Connection,
): Promise<Response> {
  const bytes = await readBody(request);
  if (typeof bytes === "string") return unreadableBody();
  const body = decodeUtf8(bytes);

  const offer = (poll: ClientPoll): Promise<OfferOutcome> =>
    broker.offer(
      {
        ...poll,
        address: clientAddress(request.headers, () => connection.socketAddress()),
        rendezvous: "http",
      },
      connection.gone,
    );

  if (isLegacyClientPoll(body)) {
    const decoded = decodeLegacyClientPoll(body, firstNatHeader(request.headers));
    return decoded.ok ? legacyResponse(await offer(decoded.value)) : corsStatus(400);
  }
  const decoded = decodeClientPoll(body);
  if (!decoded.ok) return corsText(encodeClientError(decoded.error));
  return corsText(encodeOfferOutcome(await offer(decoded.value)));
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
