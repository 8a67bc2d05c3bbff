/** `snowflake-broker/broker`: the matchmaker, its contract, and everything that constructing it takes. */

export { type BridgeList, DEFAULT_BRIDGES, parseBridgeList } from "../broker/bridge-list.ts";
export type { ParsedBridgeList } from "../broker/bridge-list.ts";
export type {
  AnswerOutcome,
  Broker,
  Departure,
  Offer,
  OfferOutcome,
  Poll,
  PollOutcome,
  RendezvousMethod,
  SessionCounts,
} from "../broker/broker.ts";
export type { Clock } from "../broker/clock.ts";
export { type BrokerEvents, NO_EVENTS, type OfferEnd, type PollEnd } from "../broker/events.ts";
export { type BrokerLimits, LocalBroker, type LocalBrokerParts } from "../broker/local-broker.ts";
export { CLIENT_DEADLINE, PROXY_DEADLINE } from "../broker/policy/matching-policy.ts";
export { type WaitingCounts } from "../broker/matches.ts";
export {
  DEFAULT_POLL_INTERVALS,
  type ParsedPollIntervals,
  parsePollIntervals,
  type PollIntervals,
} from "../broker/policy/poll-intervals.ts";
export type { PoolName } from "../broker/policy/nat-classes.ts";
