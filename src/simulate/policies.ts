/** The policies that can be compared, by name. */

import type { LocalBrokerParts } from "../broker/local-broker.ts";
import { REFERENCE_POLICY } from "../broker/policy/matching-policy.ts";
import { DEFAULT_POLL_INTERVALS } from "../broker/policy/poll-intervals.ts";

/** What a policy is to a `LocalBroker`: some of its parts. */
export type PolicyParts = Pick<LocalBrokerParts, "policy" | "pollIntervals">;

/** Constants of the reference policy that nothing in the protocol asks for. */
const LONG_WAIT = { ...REFERENCE_POLICY, proxyDeadline: 25_000 };
const SHORT_INTERVALS = { open: 1_000, moderate: 1_000, strict: 1_000 };

/** Compared unless others are asked for. */
export const POLICIES: ReadonlyMap<string, PolicyParts> = new Map([
  ["reference", { policy: REFERENCE_POLICY, pollIntervals: DEFAULT_POLL_INTERVALS }],
  ["wait-25s", { policy: LONG_WAIT, pollIntervals: DEFAULT_POLL_INTERVALS }],
  ["interval-1s", { policy: REFERENCE_POLICY, pollIntervals: SHORT_INTERVALS }],
  ["wait-25s-interval-1s", { policy: LONG_WAIT, pollIntervals: SHORT_INTERVALS }],
]);

/** For checks of the simulation: the reference before addresses were held to poll intervals. */
export const PAST_POLICIES: ReadonlyMap<string, PolicyParts> = new Map([
  [
    "reference-2024",
    { policy: REFERENCE_POLICY, pollIntervals: { open: 0, moderate: 0, strict: 0 } },
  ],
]);
