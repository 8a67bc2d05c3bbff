/** `/proxy` and `/answer`: what volunteers' proxies ask and bring. */

import type { AnswerOutcome, PollOutcome } from "../../broker/broker.ts";
import { decodeProxyAnswer, encodeAnswerStatus } from "../../messages/proxy-answer.ts";
import {
  decodeProxyPoll,
  encodeProxyMatch,
  encodeProxyRefusal,
} from "../../messages/proxy-poll.ts";
import { decodeUtf8 } from "../../messages/utf8.ts";
import type { Destination } from "../rendezvous.ts";
import type { Connection } from "./connection.ts";
import { proxyAddress } from "./peer-address.ts";
import { corsStatus, corsText, unreadableBody } from "./replies.ts";
import { readBody } from "./request-body.ts";

/** A poll: the response waits until there is a client, or the proxy deadline has passed. */
export async function serveProxy(
  { broker, refusals }: Destination,
  request: Request,
  connection: Connection,
  trustedHops: number,
): Promise<Response> {
  const bytes = await readBody(request, connection.bodyTimeout);
  if (typeof bytes === "string") {
    refusals.refused("proxy", bytes);
    return unreadableBody();
  }
  const decoded = decodeProxyPoll(decodeUtf8(bytes));
  if (!decoded.ok) {
    refusals.refused("proxy", decoded.refusal);
    return corsStatus(400);
  }
  const address = proxyAddress(request.headers, () => connection.socketAddress(), trustedHops);
  // Returned, not awaited: while the proxy waits, nothing of this function stays in memory.
  return broker.poll({ ...decoded.value, address }, connection.gone).then(respondToPoll);
}

/** An answer to the offer that a poll was given. */
export async function serveAnswer(
  { broker, refusals }: Destination,
  request: Request,
  { bodyTimeout }: Connection,
): Promise<Response> {
  const bytes = await readBody(request, bodyTimeout);
  if (typeof bytes === "string") {
    refusals.refused("answer", bytes);
    return unreadableBody();
  }
  const decoded = decodeProxyAnswer(decodeUtf8(bytes));
  if (!decoded.ok) {
    refusals.refused("answer", decoded.refusal);
    return corsStatus(400);
  }
  // Returned, not awaited, as above: a core that is elsewhere may take its time.
  return broker.answer(decoded.value).then(respondToAnswer);
}

function respondToAnswer({ kind }: AnswerOutcome): Response {
  return corsText(encodeAnswerStatus(kind === "delivered" ? "success" : "client gone"));
}

function respondToPoll(outcome: PollOutcome): Response {
  return corsText(encodePollOutcome(outcome));
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
