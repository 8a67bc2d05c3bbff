/** What a proxy asks, and what it is told: protocol versions 1.x, all treated alike. */

import { copyText } from "./copied-text.ts";
import { accept, type Decoded, refuse } from "./decoded.ts";
import { foldMemberName, JsonReader } from "./json-reader.ts";
import { formatJsonString } from "./json-string.ts";
import { type NatType, parseNatType } from "./nat-type.ts";
import { foldProxyType, type ProxyType } from "./proxy-type.ts";
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

const MEMBERS = new Map([
  ["Sid", "sid"],
  ["Version", "version"],
  ["Type", "type"],
  ["NAT", "nat"],
  ["Clients", "clients"],
  ["AcceptedRelayPattern", "acceptedrelaypattern"],
  ["sid", "sid"],
  ["version", "version"],
  ["type", "type"],
  ["nat", "nat"],
  ["clients", "clients"],
  ["acceptedrelaypattern", "acceptedrelaypattern"],
] as const);

/** The longest relay pattern, in UTF-16 units: a host name has at most 253 characters, and a pattern adds two. */
export const LONGEST_RELAY_PATTERN = 256;

/** Whether the text before the first dot is the protocol's major version. */
export function isProxyVersion(version: string): boolean {
  return version === "1" || version.startsWith("1.");
}

/** Decodes the body of a poll. The `error` of a refusal is for the log: proxies only get status 400. */
export function decodeProxyPoll(body: string): Decoded<ProxyPoll> {
  let sidText = "";
  let version = "";
  let type = "";
  let nat = "";
  let clients = 0;
  let relayPattern: string | null = null;
  const json = new JsonReader(body);
  for (let name = json.firstMember(); name !== undefined; name = json.nextMember()) {
    switch (foldMemberName(MEMBERS, name)) {
      case "sid":
        sidText = json.string(sidText);
        break;
      case "version":
        version = json.string(version);
        break;
      case "type":
        type = json.string(type);
        break;
      case "nat":
        nat = json.string(nat);
        break;
      case "clients":
        clients = json.integer(clients);
        break;
      case "acceptedrelaypattern":
        relayPattern = json.nullableString(relayPattern);
        break;
      case undefined:
        json.skip();
    }
  }
  if (json.error !== undefined) return refuse("json", json.error);
  if (!isProxyVersion(version)) return refuse("version", "unsupported message version");
  if (relayPattern !== null && relayPattern.length > LONGEST_RELAY_PATTERN) {
    return refuse("relay-pattern", "relay pattern too long");
  }
  // Cut before it is copied: a text that is too long is refused either way.
  const sid = copyText(sidText.slice(0, LONGEST_SESSION_ID + 1));
  if (!isSessionId(sid)) return refuse("session-id", "no session id, or too long a one");
  const natType = parseNatType(nat);
  if (natType === undefined) return refuse("nat-type", "invalid NAT type");
  return accept({
    sid,
    type: foldProxyType(type),
    nat: natType,
    clients: Math.max(clients, 0),
    relayPattern: relayPattern === null ? null : copyText(relayPattern),
  });
}

/** Milliseconds until a proxy that was turned away for its relay pattern may ask again. */
export const NEXT_POLL_AFTER_PATTERN_REJECTION = 3_600_000;

/** The response of a matched proxy. `nextPoll` is in whole milliseconds; `nat` is the client's. */
export function encodeProxyMatch(
  offer: string,
  nat: NatType,
  relayUrl: string,
  nextPoll: number,
): string {
  return `{"Status":"client match","Offer":${formatJsonString(offer)},"NAT":"${nat}","NextPoll":${nextPoll},"RelayURL":${formatJsonString(relayUrl)}}`;
}

/** The response of a proxy that gets no client now. `nextPoll` is in whole milliseconds. */
export function encodeProxyRefusal(
  status: "no match" | "polled too soon" | "incorrect relay pattern",
  nextPoll: number,
): string {
  return `{"Status":"${status}","Offer":"","NAT":"","NextPoll":${nextPoll},"RelayURL":""}`;
}
