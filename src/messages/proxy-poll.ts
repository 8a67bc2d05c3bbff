/** What a proxy asks, and what it is told: protocol versions 1.x, all treated alike. */

import { copyText } from "./copied-text.ts";
import { accept, type Decoded, refuse } from "./decoded.ts";
import { JsonMembers } from "./json-members.ts";
import { formatJsonString } from "./json-string.ts";
import { type NatType, parseNatType } from "./nat-type.ts";
import { foldProxyType, type ProxyType } from "./proxy-type.ts";
import type { SessionDescription } from "./session-description.ts";
import { isSessionId, LONGEST_SESSION_ID, type SessionId } from "./session-id.ts";

export interface ProxyPoll {
  readonly sid: SessionId;
  readonly type: ProxyType;
  readonly nat: NatType;
  /** How many clients the proxy serves already; never negative. */
  readonly clients: number;
  /** Which relays the proxy is willing to reach; null if it did not say. */
  readonly relayPattern: string | null;
}

interface Members {
  sid: string;
  version: string;
  type: string;
  nat: string;
  clients: number;
  relayPattern: string | null;
}

const MEMBERS = new JsonMembers<Members>({
  Sid: (json, it) => (it.sid = json.string(it.sid)),
  Version: (json, it) => (it.version = json.string(it.version)),
  Type: (json, it) => (it.type = json.string(it.type)),
  NAT: (json, it) => (it.nat = json.string(it.nat)),
  Clients: (json, it) => (it.clients = json.integer(it.clients)),
  AcceptedRelayPattern: (json, it) => (it.relayPattern = json.nullableString(it.relayPattern)),
});

/** The longest relay pattern, in UTF-16 units: a host name has at most 253 characters, and a pattern adds two. */
export const LONGEST_RELAY_PATTERN = 256;

/** Whether the text before the first dot is the protocol's major version. */
export function isProxyVersion(version: string): boolean {
  return version === "1" || version.startsWith("1.");
}

/** Decodes the body of a poll. The `error` of a refusal is for the log: proxies only get status 400. */
export function decodeProxyPoll(body: string): Decoded<ProxyPoll> {
  const message: Members = {
    sid: "",
    version: "",
    type: "",
    nat: "",
    clients: 0,
    relayPattern: null,
  };
  const error = MEMBERS.read(body, message);
  if (error !== undefined) return refuse("json", error);
  const { version, relayPattern } = message;
  if (!isProxyVersion(version)) return refuse("version", "unsupported message version");
  if (relayPattern !== null && relayPattern.length > LONGEST_RELAY_PATTERN) {
    return refuse("relay-pattern", "relay pattern too long");
  }
  // Cut before it is copied: a text that is too long is refused either way.
  const sid = copyText(message.sid.slice(0, LONGEST_SESSION_ID + 1));
  if (!isSessionId(sid)) return refuse("session-id", "no session id, or too long a one");
  const natType = parseNatType(message.nat);
  if (natType === undefined) return refuse("nat-type", "invalid NAT type");
  return accept({
    sid,
    type: foldProxyType(message.type),
    nat: natType,
    clients: Math.max(message.clients, 0),
    relayPattern: relayPattern === null ? null : copyPattern(relayPattern),
  });
}

let lastPattern = "";

/** A copy that proxies with the same pattern share, since nearly all have the same. */
function copyPattern(pattern: string): string {
  if (pattern !== lastPattern) lastPattern = copyText(pattern);
  return lastPattern;
}

/** Milliseconds until a proxy that was turned away for its relay pattern may ask again. */
export const NEXT_POLL_AFTER_PATTERN_REJECTION = 3_600_000;

/** The response of a matched proxy. `nextPoll` is in whole milliseconds; `nat` is the client's. */
export function encodeProxyMatch(
  offer: SessionDescription,
  nat: NatType,
  relayUrl: string,
  nextPoll: number,
): string {
  return `{"Status":"client match","Offer":${offer},"NAT":"${nat}","NextPoll":${nextPoll},"RelayURL":${formatJsonString(relayUrl)}}`;
}

/** The response of a proxy that gets no client now. `nextPoll` is in whole milliseconds. */
export function encodeProxyRefusal(
  status: "no match" | "polled too soon" | "incorrect relay pattern",
  nextPoll: number,
): string {
  return `{"Status":"${status}","Offer":"","NAT":"","NextPoll":${nextPoll},"RelayURL":""}`;
}
