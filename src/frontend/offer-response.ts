/** What a client is told of its offer, whichever way it came in. */

import type { OfferOutcome } from "../broker/broker.ts";
import { encodeClientAnswer, encodeClientError } from "../messages/client-poll.ts";

/** The response message, by what became of the offer; the error texts are the protocol's. */
export function encodeOfferOutcome(outcome: OfferOutcome): string {
  switch (outcome.kind) {
    case "answered":
      return encodeClientAnswer(outcome.answer);
    case "denied":
      return encodeClientError("no snowflake proxies currently available");
    case "timed-out":
      return encodeClientError("timed out waiting for answer!");
    case "unknown-bridge":
      return encodeClientError("bridge with requested fingerprint is unknown to the broker");
  }
}
