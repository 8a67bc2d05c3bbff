/** `/client`: a client's offer in, the answer of a proxy out. */

import type { OfferOutcome } from "../../broker/broker.ts";
import type { Exchange, HttpRequest, Reply } from "../../http/message.ts";
import { decodeLegacyClientPoll, isLegacyClientPoll } from "../../messages/client-poll.ts";
import { descriptionText } from "../../messages/session-description.ts";
import { decodeUtf8 } from "../../messages/utf8.ts";
import { type Destination, exchange as takeToBroker, offer, type WayIn } from "../rendezvous.ts";
import { clientAddress } from "./peer-address.ts";
import {
  CORS_BAD_REQUEST,
  CORS_TIMED_OUT,
  CORS_UNAVAILABLE,
  corsText,
  UNREADABLE_BODY,
} from "./replies.ts";

export function serveClient(
  destination: Destination,
  { fields, body }: HttpRequest,
  exchange: Exchange,
): void {
  if (typeof body === "string") {
    destination.refusals.refused("client", body);
    return exchange.reply(UNREADABLE_BODY);
  }
  const wayIn: WayIn = {
    rendezvous: "http",
    address: clientAddress(fields, exchange),
    gone: exchange,
  };
  const fail = (error: unknown) => exchange.fail(error);
  if (isLegacyClientPoll(body)) {
    const reply = serveLegacy(destination, body, firstNatField(fields), wayIn);
    reply.then((it) => exchange.reply(it), fail);
  } else {
    const message = takeToBroker(destination, body, wayIn);
    message.then((it) => exchange.reply(corsText(it)), fail);
  }
}

/** A client of before 2021: what became of its offer is told by the status. */
function serveLegacy(
  { broker, refusals }: Destination,
  body: Uint8Array,
  nat: string,
  wayIn: WayIn,
): Promise<Reply> {
  const decoded = decodeLegacyClientPoll(decodeUtf8(body), nat);
  if (!decoded.ok) {
    refusals.refused("client", decoded.refusal);
    return Promise.resolve(CORS_BAD_REQUEST);
  }
  return offer(broker, decoded.value, wayIn).then(legacyReply);
}

/** The first `Snowflake-NAT-Type` line; several are joined with commas. */
function firstNatField(fields: HttpRequest["fields"]): string {
  const joined = fields.get("snowflake-nat-type") ?? "";
  const comma = joined.indexOf(",");
  return comma === -1 ? joined : joined.slice(0, comma).trim();
}

function legacyReply(outcome: OfferOutcome): Reply {
  switch (outcome.kind) {
    case "answered":
      return corsText(descriptionText(outcome.answer));
    case "denied":
      return CORS_UNAVAILABLE;
    case "timed-out":
      return CORS_TIMED_OUT;
    case "unknown-bridge":
      return CORS_BAD_REQUEST;
  }
}
