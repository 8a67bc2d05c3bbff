/** The policies that can be compared, by name. */

import type { LocalBrokerParts } from "../broker/local-broker.ts";
import {
  type MatchingPolicy,
  REACH_POLICY,
  REFERENCE_POLICY,
} from "../broker/policy/matching-policy.ts";
import { DEFAULT_POLL_INTERVALS, type PollIntervals } from "../broker/policy/poll-intervals.ts";

/** What a policy is to a `LocalBroker`: some of its parts. */
export type PolicyParts = Required<Pick<LocalBrokerParts, "policy" | "pollIntervals">>;

/** The reference's policy, with other values for some of its parts. */
function reference(parts: Partial<MatchingPolicy>): PolicyParts {
  return { policy: { ...REFERENCE_POLICY, ...parts }, pollIntervals: DEFAULT_POLL_INTERVALS };
}

/** The policy that is in force unless the operator says otherwise, with other values for some of its parts. */
function reach(parts: Partial<MatchingPolicy>): PolicyParts {
  return { policy: { ...REACH_POLICY, ...parts }, pollIntervals: DEFAULT_POLL_INTERVALS };
}

const {
  proxyWait,
  leastNextPoll,
  clientWait,
  maxWaitingClients,
  adaptiveInterval,
  secondChance,
  silentProxiesLast,
  comesBefore,
  avoidSameCountry,
  shareSurplus,
  rememberNat,
} = REACH_POLICY;

/**
 * Compared unless others are asked for: the reference, each part of our policy alone, all of them, and with those that an
 * operator can add.
 */
export const POLICIES: ReadonlyMap<string, PolicyParts> = new Map([
  ["reference", reference({})],
  ["proxy-wait", reference({ proxyWait, leastNextPoll })],
  ["client-wait", reference({ clientWait, maxWaitingClients })],
  ["adaptive-interval", reference({ adaptiveInterval, leastNextPoll })],
  ["second-chance", reference({ secondChance })],
  ["silent-last", reference({ silentProxiesLast, comesBefore })],
  ["country", reference({ avoidSameCountry })],
  ["nat-memory", reference({ rememberNat })],
  ["share-surplus", reference({ shareSurplus })],
  ["reach", reach({})],
  ["reach-retries", reach({ learnFromRetries: true })],
]);

const LONG_WAIT = { ...REFERENCE_POLICY, proxyDeadline: 25_000, proxyWait: 25_000 };

function everywhere(interval: number): PollIntervals {
  return { open: interval, moderate: interval, strict: interval };
}

/**
 * For checks of the simulation: constants of the reference changed, and the reference before it held addresses to poll
 * intervals.
 */
export const CHECK_POLICIES: ReadonlyMap<string, PolicyParts> = new Map([
  ["reference-2024", { policy: REFERENCE_POLICY, pollIntervals: everywhere(0) }],
  ["wait-25s", { policy: LONG_WAIT, pollIntervals: DEFAULT_POLL_INTERVALS }],
  ["interval-1s", { policy: REFERENCE_POLICY, pollIntervals: everywhere(1_000) }],
  ["wait-25s-interval-1s", { policy: LONG_WAIT, pollIntervals: everywhere(1_000) }],
]);
