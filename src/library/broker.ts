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
export {
  type BrokerEvents,
  NO_EVENTS,
  type OfferEnd,
  type PolicyAct,
  type PollEnd,
} from "../broker/events.ts";
export { type BrokerLimits, LocalBroker, type LocalBrokerParts } from "../broker/local-broker.ts";
export {
  type Candidate,
  CLIENT_DEADLINE,
  type IntervalBounds,
  type MatchingPolicy,
  PROXY_DEADLINE,
  REACH_POLICY,
  REFERENCE_POLICY,
} from "../broker/policy/matching-policy.ts";
export type { CountryOf } from "../broker/policy/reach.ts";
export { type WaitingCounts } from "../broker/matches.ts";
export {
  DEFAULT_POLL_INTERVALS,
  type ParsedPollIntervals,
  parsePollIntervals,
  type PollIntervals,
} from "../broker/policy/poll-intervals.ts";
export type { PoolName } from "../broker/policy/nat-classes.ts";
