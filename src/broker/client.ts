/** A client in flight: from its offer to its outcome. */

import type { NatType } from "../messages/nat-type.ts";
import type { SessionDescription } from "../messages/session-description.ts";
import type { Offer, OfferOutcome } from "./broker.ts";
import type { DeadlineQueue, Expiring } from "./deadline-queue.ts";
import type { Match } from "./match.ts";
import type { Place } from "./policy/waiting-room.ts";

/** Brings an answer to the broker that has the client; resolves to whether the client got it. Never rejects. */
export type ForwardAnswer = (answer: SessionDescription) => Promise<boolean>;

/**
 * It waits for a proxy (it has a place in the waiting room, or other brokers are asked) or for an answer (it has a match,
 * or two, or a proxy of another broker).
 */
export class Client implements Expiring<Client> {
  readonly offer: Offer;
  /** Where the proxy is to take it. A list of bridges that changes meanwhile changes nothing for it. */
  readonly relayUrl: string;
  /** When the offer came, in ms of the broker's clock. */
  readonly since: number;
  readonly settle: (outcome: OfferOutcome) => void;
  /** What it is matched as: its own NAT type, or a stricter one. */
  nat: NatType;
  /** Stands for its address, if any policy remembers clients; otherwise 0. */
  addressKey = 0;
  /** Stands for the address of a proxy that it could not connect to, if one is known. */
  failedWith: number | undefined = undefined;

  place: Place | undefined = undefined;
  match: Match | undefined = undefined;
  /** A second proxy, asked because the first one is silent. */
  second: Match | undefined = undefined;

  /** Another broker is asked for a proxy, or has given the offer to one. */
  elsewhere: "asked" | "given" | undefined = undefined;
  /** There was no proxy for it when it came, neither here nor elsewhere. */
  waited = false;
  /** The number by which other brokers know it; 0: it has not been sought for. */
  ticket = 0;
  /** Given only if it is the client of another broker: where its answer goes. */
  forward: ForwardAnswer | undefined = undefined;

  /** Belongs to `Clients`: where its deadline is. Undefined: it has its outcome. */
  queue: DeadlineQueue<Client> | undefined = undefined;
  deadline = 0;
  earlier: Client | undefined = undefined;
  later: Client | undefined = undefined;

  constructor(
    offer: Offer,
    relayUrl: string,
    since: number,
    settle: (outcome: OfferOutcome) => void,
  ) {
    this.offer = offer;
    this.relayUrl = relayUrl;
    this.since = since;
    this.settle = settle;
    this.nat = offer.nat;
  }
}
