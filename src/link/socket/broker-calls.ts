/** The methods of a `Broker` as calls over the link. */

import {
  type AnswerOutcome,
  type Offer,
  type OfferOutcome,
  type Poll,
  type PollOutcome,
  RENDEZVOUS_METHODS,
  type SessionCounts,
} from "../../broker/broker.ts";
import { LONGEST_PROXY_WAIT } from "../../broker/policy/matching-policy.ts";
import { parseAddress, parseBareAddress } from "../../messages/address-text.ts";
import type { Address } from "../../messages/address.ts";
import { type Fingerprint, parseFingerprint } from "../../messages/fingerprint.ts";
import { NAT_TYPES, type NatType } from "../../messages/nat-type.ts";
import type { ProxyAnswer } from "../../messages/proxy-answer.ts";
import { PROXY_TYPES, type ProxyType } from "../../messages/proxy-type.ts";
import { isWritten } from "../../messages/session-description.ts";
import { isSessionId } from "../../messages/session-id.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { Call, Codec } from "./codec.ts";
import { NO_PAYLOAD } from "./codec.ts";

const POLL_OUTCOMES = ["matched", "idle", "too-soon", "pattern-rejected"] as const;
const OFFER_OUTCOMES = ["answered", "denied", "timed-out", "unknown-bridge"] as const;
const ANSWER_OUTCOMES = ["delivered", "client-gone"] as const;

/** Something that may be missing, or may be malformed. */
type Read<T> = { readonly ok: true; readonly value: T | undefined } | { readonly ok: false };

const poll: Codec<Poll> = {
  write(to, { sid, type, nat, clients, relayPattern, address, waited }) {
    to.text(sid);
    to.choice(PROXY_TYPES, type);
    to.choice(NAT_TYPES, nat);
    to.whole(clients);
    to.optionalText(relayPattern);
    to.optionalText(address?.reveal());
    to.optionalU32(waited);
  },
  read(from) {
    const sid = from.text();
    const type = from.choice(PROXY_TYPES);
    const nat = from.choice(NAT_TYPES);
    const clients = from.whole();
    const relayPattern = from.optionalText() ?? null;
    const address = readAddress(from);
    const waited = from.optionalU32();
    if (!isSessionId(sid) || !address.ok) return undefined;
    if (waited !== undefined && waited > LONGEST_PROXY_WAIT) return undefined;
    return { sid, type, nat, clients, relayPattern, address: address.value, waited };
  },
};

const pollOutcome: Codec<PollOutcome> = {
  write(to, outcome) {
    to.choice(POLL_OUTCOMES, outcome.kind);
    to.whole(outcome.nextPoll);
    if (outcome.kind !== "matched") return;
    to.text(outcome.offer);
    to.choice(NAT_TYPES, outcome.clientNat);
    to.text(outcome.relayUrl);
  },
  read(from) {
    const kind = from.choice(POLL_OUTCOMES);
    const nextPoll = from.whole();
    if (kind !== "matched") return { kind, nextPoll };
    const offer = from.text();
    const clientNat = from.choice(NAT_TYPES);
    if (!isWritten(offer)) return undefined;
    return { kind, offer, clientNat, relayUrl: from.text(), nextPoll };
  },
};

const offer: Codec<Offer> = {
  write(to, value) {
    to.text(value.offer);
    to.choice(NAT_TYPES, value.nat);
    to.optionalText(value.fingerprint);
    to.optionalText(value.address?.reveal());
    to.choice(RENDEZVOUS_METHODS, value.rendezvous);
  },
  read(from) {
    const description = from.text();
    const nat = from.choice(NAT_TYPES);
    const fingerprint = readFingerprint(from);
    const address = readAddress(from);
    const rendezvous = from.choice(RENDEZVOUS_METHODS);
    if (!isWritten(description) || !fingerprint.ok || !address.ok) return undefined;
    return {
      offer: description,
      nat,
      fingerprint: fingerprint.value,
      address: address.value,
      rendezvous,
    };
  },
};

const offerOutcome: Codec<OfferOutcome> = {
  write(to, outcome) {
    to.choice(OFFER_OUTCOMES, outcome.kind);
    if (outcome.kind === "answered") to.text(outcome.answer);
  },
  read(from) {
    const kind = from.choice(OFFER_OUTCOMES);
    if (kind !== "answered") return { kind };
    const description = from.text();
    return isWritten(description) ? { kind, answer: description } : undefined;
  },
};

const answer: Codec<ProxyAnswer> = {
  write(to, value) {
    to.text(value.sid);
    to.text(value.answer);
  },
  read(from) {
    const sid = from.text();
    const description = from.text();
    return isSessionId(sid) && isWritten(description) ? { sid, answer: description } : undefined;
  },
};

const answerOutcome: Codec<AnswerOutcome> = {
  write: (to, { kind }) => to.choice(ANSWER_OUTCOMES, kind),
  read: (from) => ({ kind: from.choice(ANSWER_OUTCOMES) }),
};

const sessionCounts: Codec<SessionCounts> = {
  write(to, { total, byType, byNat }) {
    to.whole(total);
    for (const type of PROXY_TYPES) to.whole(byType[type]);
    for (const nat of NAT_TYPES) to.whole(byNat[nat]);
  },
  read(from) {
    const counts = { ...noSessions(), total: from.whole() };
    for (const type of PROXY_TYPES) counts.byType[type] = from.whole();
    for (const nat of NAT_TYPES) counts.byNat[nat] = from.whole();
    return counts;
  },
};

/** The calls of the spine, one of each method. */
export const POLL_CALL: Call<Poll, PollOutcome> = { kind: 16, request: poll, outcome: pollOutcome };
export const OFFER_CALL: Call<Offer, OfferOutcome> = {
  kind: 17,
  request: offer,
  outcome: offerOutcome,
};
export const ANSWER_CALL: Call<ProxyAnswer, AnswerOutcome> = {
  kind: 18,
  request: answer,
  outcome: answerOutcome,
};
export const SESSIONS_CALL: Call<null, SessionCounts> = {
  kind: 19,
  request: NO_PAYLOAD,
  outcome: sessionCounts,
};

/** What a broker that is not there has. */
export function noSessions(): {
  total: number;
  byType: Record<ProxyType, number>;
  byNat: Record<NatType, number>;
} {
  return {
    total: 0,
    byType: { standalone: 0, webext: 0, badge: 0, iptproxy: 0, bloco: 0, unknown: 0 },
    byNat: { restricted: 0, unrestricted: 0, unknown: 0, strict: 0, moderate: 0, open: 0 },
  };
}

/** An address in its canonical form, and in no other. */
function readAddress(from: ByteReader): Read<Address> {
  const text = from.optionalText();
  if (text === undefined) return { ok: true, value: undefined };
  // The unspecified addresses are no peer's, but a candidate may hold one.
  const value = parseAddress(text) ?? parseBareAddress(text);
  return value?.reveal() === text ? { ok: true, value } : { ok: false };
}

/** A fingerprint in upper case. */
function readFingerprint(from: ByteReader): Read<Fingerprint> {
  const text = from.optionalText();
  if (text === undefined) return { ok: true, value: undefined };
  const value = parseFingerprint(text);
  return value === text ? { ok: true, value } : { ok: false };
}
