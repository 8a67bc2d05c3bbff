/** `snowflake-broker/messages`: what clients and proxies send and receive, decoded and encoded. */

export { DEFAULT_IPV6_PREFIX } from "../messages/address-network.ts";
export { parseAddress } from "../messages/address-text.ts";
export type { Address } from "../messages/address.ts";
export {
  type ClientPoll,
  decodeClientPoll,
  decodeLegacyClientPoll,
  encodeClientAnswer,
  encodeClientError,
  isLegacyClientPoll,
} from "../messages/client-poll.ts";
export type { Decoded, Refusal } from "../messages/decoded.ts";
export { type Fingerprint, parseFingerprint } from "../messages/fingerprint.ts";
export { NAT_TYPES, type NatType, parseNatType } from "../messages/nat-type.ts";
export {
  decodeProxyAnswer,
  encodeAnswerStatus,
  type ProxyAnswer,
} from "../messages/proxy-answer.ts";
export {
  decodeProxyPoll,
  encodeProxyMatch,
  encodeProxyRefusal,
  type ProxyPoll,
} from "../messages/proxy-poll.ts";
export { foldProxyType, PROXY_TYPES, type ProxyType } from "../messages/proxy-type.ts";
export { parseRelayPattern, type RelayPattern } from "../messages/relay-pattern.ts";
export { firstCandidateAddress } from "../messages/sdp-candidates.ts";
export {
  descriptionText,
  type SessionDescription,
  writeDescription,
} from "../messages/session-description.ts";
export { isSessionId, type SessionId } from "../messages/session-id.ts";
export { decodeUtf8 } from "../messages/utf8.ts";
