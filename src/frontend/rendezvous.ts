/**
 * The rendezvous contract: what a way in for clients has to do, and the one call that does the rest.
 *
 * A way in receives one message from a client, of about 1.5 kB and never more than it is willing to hold, passes it to
 * `exchange` at once, and gives the response back to that client, once. It says what it is called and where the client
 * is, as far as it can tell. It does not look into the message, and keeps nothing of it.
 *
 * The tests that every way in passes: test/kit/rendezvous-contract.ts. How to add one: docs/adding-a-rendezvous.md.
 */

import type { Broker, Departure, OfferOutcome, RendezvousMethod } from "../broker/broker.ts";
import type { Address } from "../messages/address.ts";
import {
  type ClientPoll,
  decodeClientPoll,
  encodeClientAnswer,
  encodeClientError,
} from "../messages/client-poll.ts";
import { firstCandidateAddress } from "../messages/sdp-candidates.ts";
import { decodeUtf8 } from "../messages/utf8.ts";
import type { RefusalEvents } from "./refusals.ts";

/** How a message came in. */
export interface WayIn {
  readonly rendezvous: RendezvousMethod;
  /** Where the client is; undefined if the way in hides it. For statistics only. */
  readonly address: Address | undefined;
  /** Aborts when nobody waits for the response any more. */
  readonly gone: Departure;
}

/** Where a way in takes what it received. */
export interface Destination {
  readonly broker: Broker;
  readonly refusals: RefusalEvents;
}

/**
 * Takes a client's message to the broker and resolves to the response, which is always there within the client's
 * deadline of 5 s and never an exception, whatever the message is.
 */
export function exchange(
  { broker, refusals }: Destination,
  message: Uint8Array,
  wayIn: WayIn,
): Promise<string> {
  const decoded = decodeClientPoll(decodeUtf8(message));
  if (!decoded.ok) {
    refusals.refused("client", decoded.refusal);
    return Promise.resolve(encodeClientError(decoded.error));
  }
  // Not awaited: a suspended function keeps its arguments, so a waiting client would hold its message.
  return offer(broker, decoded.value, wayIn).then(encodeOfferOutcome);
}

/** Takes a client's poll to the broker. A way in that hides the client's address has it taken from the offer. */
export function offer(broker: Broker, poll: ClientPoll, wayIn: WayIn): Promise<OfferOutcome> {
  const { rendezvous, gone } = wayIn;
  const address = wayIn.address ?? firstCandidateAddress(poll.offer);
  return broker.offer({ ...poll, address, rendezvous }, gone);
}

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
