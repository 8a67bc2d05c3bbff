/** What a client asks: version 1.0 of the client poll, and the legacy body that is nothing but an offer. */

import { accept, type Decoded, refuse } from "./decoded.ts";
import { type Fingerprint, parseFingerprint } from "./fingerprint.ts";
import { JsonMembers } from "./json-members.ts";
import { formatJsonString } from "./json-string.ts";
import { type NatType, parseNatType } from "./nat-type.ts";
import { sessionDescriptionFault } from "./session-description.ts";

export interface ClientPoll {
  /** The session description, passed on to the proxy exactly as it came. */
  readonly offer: string;
  readonly nat: NatType;
  /** The bridge wanted; undefined means the default bridge. */
  readonly fingerprint: Fingerprint | undefined;
}

const VERSION_LINE = "1.0\n";
const OPEN_BRACE = 0x7b;

const MEMBERS = new JsonMembers<{ offer: string; nat: string; fingerprint: string }>({
  offer: (json, it) => (it.offer = json.string(it.offer)),
  nat: (json, it) => (it.nat = json.string(it.nat)),
  fingerprint: (json, it) => (it.fingerprint = json.string(it.fingerprint)),
});

/** Decodes `1.0`, a line feed, and a JSON object. */
export function decodeClientPoll(body: string): Decoded<ClientPoll> {
  if (!body.startsWith(VERSION_LINE)) return refuse("version", "unsupported message version");

  const message = { offer: "", nat: "", fingerprint: "" };
  const error = MEMBERS.read(body.slice(VERSION_LINE.length), message);
  if (error !== undefined) return refuse("json", error);
  return checkClientPoll(message.offer, message.nat, message.fingerprint);
}

/** Whether a body is the legacy form: the offer itself, which begins with a brace. */
export function isLegacyClientPoll(body: Uint8Array): boolean {
  return body[0] === OPEN_BRACE;
}

/** Decodes a legacy body; `natHeader` is the first `Snowflake-NAT-Type` header, empty if there was none. */
export function decodeLegacyClientPoll(body: string, natHeader: string): Decoded<ClientPoll> {
  return checkClientPoll(body, natHeader, "");
}

function checkClientPoll(
  offer: string,
  natText: string,
  fingerprintText: string,
): Decoded<ClientPoll> {
  if (offer === "") return refuse("no-description", "no supplied offer");
  const fault = sessionDescriptionFault(offer);
  if (fault !== undefined) return refuse("description", `malformed session description: ${fault}`);
  const fingerprint = parseFingerprint(fingerprintText);
  if (fingerprint === undefined && fingerprintText !== "") {
    return refuse("fingerprint", "cannot decode fingerprint");
  }
  const nat = parseNatType(natText);
  if (nat === undefined) return refuse("nat-type", "invalid NAT type");
  return accept({ offer, nat, fingerprint });
}

/** The response of a client whose offer was answered. */
export function encodeClientAnswer(answer: string): string {
  return `{"answer":${formatJsonString(answer)}}`;
}

/** The response of a client that gets no answer. */
export function encodeClientError(error: string): string {
  return `{"error":${formatJsonString(error)}}`;
}
