/** `/proxy` and `/answer`: what volunteers' proxies ask and bring. */

import type { PollOutcome } from "../../broker/broker.ts";
import type { Exchange, HttpRequest } from "../../http/message.ts";
import { decodeProxyAnswer, encodeAnswerStatus } from "../../messages/proxy-answer.ts";
import {
  decodeProxyPoll,
  encodeProxyMatch,
  encodeProxyRefusal,
} from "../../messages/proxy-poll.ts";
import { decodeUtf8 } from "../../messages/utf8.ts";
import type { Destination } from "../rendezvous.ts";
import { proxyAddress } from "./peer-address.ts";
import { CORS_BAD_REQUEST, corsText, UNREADABLE_BODY } from "./replies.ts";

/** A poll: the reply waits until there is a client, or the proxy deadline has passed. */
export function serveProxy(
  { broker, refusals }: Destination,
  { fields, body }: HttpRequest,
  exchange: Exchange,
  trustedHops: number,
): void {
  if (typeof body === "string") {
    refusals.refused("proxy", body);
    return exchange.reply(UNREADABLE_BODY);
  }
  const decoded = decodeProxyPoll(decodeUtf8(body));
  if (!decoded.ok) {
    refusals.refused("proxy", decoded.refusal);
    return exchange.reply(CORS_BAD_REQUEST);
  }
  const address = proxyAddress(fields, exchange, trustedHops);
  broker.poll({ ...decoded.value, address }, exchange).then(
    (outcome) => exchange.reply(corsText(encodePollOutcome(outcome))),
    (error: unknown) => exchange.fail(error),
  );
}

/** An answer to the offer that a poll was given. */
export function serveAnswer(
  { broker, refusals }: Destination,
  { body }: HttpRequest,
  exchange: Exchange,
): void {
  if (typeof body === "string") {
    refusals.refused("answer", body);
    return exchange.reply(UNREADABLE_BODY);
  }
  const decoded = decodeProxyAnswer(decodeUtf8(body));
  if (!decoded.ok) {
    refusals.refused("answer", decoded.refusal);
    return exchange.reply(CORS_BAD_REQUEST);
  }
  broker.answer(decoded.value).then(
    ({ kind }) => {
      exchange.reply(
        corsText(encodeAnswerStatus(kind === "delivered" ? "success" : "client gone")),
      );
    },
    (error: unknown) => exchange.fail(error),
  );
}

function encodePollOutcome(outcome: PollOutcome): string {
  switch (outcome.kind) {
    case "matched":
      return encodeProxyMatch(outcome.offer, outcome.clientNat, outcome.relayUrl, outcome.nextPoll);
    case "idle":
      return encodeProxyRefusal("no match", outcome.nextPoll);
    case "too-soon":
      return encodeProxyRefusal("polled too soon", outcome.nextPoll);
    case "pattern-rejected":
      return encodeProxyRefusal("incorrect relay pattern", outcome.nextPoll);
  }
}
