/** What nodes say to each other. Peers' messages are written by the codecs of the link between core and frontend. */

import type { AnswerOutcome, Offer } from "../../broker/broker.ts";
import { POOL_NAMES, type PoolName } from "../../broker/policy/nat-classes.ts";
import { isWritten, type SessionDescription } from "../../messages/session-description.ts";
import { ANSWER_CALL, OFFER_CALL } from "../socket/broker-calls.ts";
import type { Codec } from "../socket/codec.ts";
import type { PoolCounts } from "./peers.ts";

/** To all nodes. */
export const PRESENCE = 1;
export const LEAVING = 2;
/** A request to all nodes; who waits for the answer replies. */
export const STRAY_ANSWER = 3;
/** Requests to one node. */
export const ASK = 4;
export const ANSWER = 5;
/** Replies. */
export const GIVEN = 6;
export const NOBODY = 7;
export const OUTCOME = 8;

/** How many proxies wait at a node. */
export const presence: Codec<PoolCounts> = {
  write(to, counts) {
    for (const pool of POOL_NAMES) to.u32(counts[pool]);
  },
  read: (from) => ({ open: from.u32(), moderate: from.u32(), strict: from.u32() }),
};

/** A node asks another for a proxy. */
export interface Ask {
  /** The number of its client; an answer has to name it. */
  readonly ticket: number;
  readonly pool: PoolName;
  /** The client has a proxy, which is silent. */
  readonly isSecond: boolean;
  /** Without the client's address, which is nobody else's business. */
  readonly offer: Offer;
  readonly relayUrl: string;
}

export const ask: Codec<Ask> = {
  write(to, { ticket, pool, isSecond, offer, relayUrl }) {
    to.whole(ticket);
    to.choice(POOL_NAMES, pool);
    to.u8(isSecond ? 1 : 0);
    OFFER_CALL.request.write(to, { ...offer, address: undefined });
    to.text(relayUrl);
  },
  read(from) {
    const ticket = from.whole();
    const pool = from.choice(POOL_NAMES);
    const isSecond = from.u8() === 1;
    const offer = OFFER_CALL.request.read(from);
    const relayUrl = from.text();
    return offer === undefined ? undefined : { ticket, pool, isSecond, offer, relayUrl };
  },
};

/** How many proxies are left in the pool that was asked for. */
export const left: Codec<number> = {
  write: (to, count) => to.u32(count),
  read: (from) => from.u32(),
};

/** The proxy that was given the offer of a client answers. */
export interface TicketAnswer {
  readonly ticket: number;
  readonly answer: SessionDescription;
}

export const ticketAnswer: Codec<TicketAnswer> = {
  write(to, { ticket, answer }) {
    to.whole(ticket);
    to.text(answer);
  },
  read(from) {
    const ticket = from.whole();
    const answer = from.text();
    return isWritten(answer) ? { ticket, answer } : undefined;
  },
};

/** An answer as a proxy sent it, to whichever node. */
export const strayAnswer = ANSWER_CALL.request;

export const answerOutcome: Codec<AnswerOutcome> = ANSWER_CALL.outcome;
