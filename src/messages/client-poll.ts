/** What a client asks: version 1.0 of the client poll, and the legacy body that is nothing but an offer. */

import { accept, type Decoded, refuse } from "./decoded.ts";
import { type Fingerprint, parseFingerprint } from "./fingerprint.ts";
import { JsonMembers } from "./json-members.ts";
import { formatJsonString } from "./json-string.ts";
import { type NatType, parseNatType } from "./nat-type.ts";
import {
  checkDescription,
  NO_DESCRIPTION,
  type ReadDescription,
  readDescription,
  type SessionDescription,
} from "./session-description.ts";

export interface ClientPoll {
  /** Its text is passed on to the proxy exactly as it came. */
  readonly offer: SessionDescription;
  readonly nat: NatType;
  /** The bridge wanted; undefined means the default bridge. */
  readonly fingerprint: Fingerprint | undefined;
}

const VERSION_LINE = "1.0\n";
const OPEN_BRACE = 0x7b;

interface Members {
  offer: ReadDescription;
  nat: string;
  fingerprint: string;
}

const MEMBERS = new JsonMembers<Members>({
  offer: (json, it) => (it.offer = readDescription(json, it.offer)),
  nat: (json, it) => (it.nat = json.string(it.nat)),
  fingerprint: (json, it) => (it.fingerprint = json.string(it.fingerprint)),
});

/** Decodes `1.0`, a line feed, and a JSON object. */
export function decodeClientPoll(body: string): Decoded<ClientPoll> {
  if (!body.startsWith(VERSION_LINE)) return refuse("version", "unsupported message version");

  const message: Members = { offer: NO_DESCRIPTION, nat: "", fingerprint: "" };
  const error = MEMBERS.read(body.slice(VERSION_LINE.length), message);
  if (error !== undefined) return refuse("json", error);
  return checkClientPoll(message, body);
}

/** Whether a body is the legacy form: the offer itself, which begins with a brace. */
export function isLegacyClientPoll(body: Uint8Array): boolean {
  return body[0] === OPEN_BRACE;
}

/** Decodes a legacy body; `natHeader` is the first `Snowflake-NAT-Type` header, empty if there was none. */
export function decodeLegacyClientPoll(body: string, natHeader: string): Decoded<ClientPoll> {
  return checkClientPoll({ offer: { text: body }, nat: natHeader, fingerprint: "" }, body);
}

function checkClientPoll(message: Members, body: string): Decoded<ClientPoll> {
  const offer = checkDescription(message.offer, body, "no supplied offer");
  if (!offer.ok) return offer;
  const fingerprint = parseFingerprint(message.fingerprint);
  if (fingerprint === undefined && message.fingerprint !== "") {
    return refuse("fingerprint", "cannot decode fingerprint");
  }
  const nat = parseNatType(message.nat);
  if (nat === undefined) return refuse("nat-type", "invalid NAT type");
  return accept({ offer: offer.value, nat, fingerprint });
}

/** The response of a client whose offer was answered. */
export function encodeClientAnswer(answer: SessionDescription): string {
  return `{"answer":${answer}}`;
}

/** The response of a client that gets no answer. */
export function encodeClientError(error: string): string {
  return `{"error":${formatJsonString(error)}}`;
}
