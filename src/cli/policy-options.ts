/** The options of the matching policy: their part of the table, and the policy that a command line asks for. */

import {
  LONGEST_PROXY_WAIT,
  type MatchingPolicy,
  PROXY_DEADLINE,
  REACH_POLICY,
  REFERENCE_POLICY,
} from "../broker/policy/matching-policy.ts";
import { BOOL, durationBetween, intAtLeast, oneOf } from "./go-flag.ts";
import type { AnyOption } from "./option-table.ts";
import { Option } from "./option.ts";
import { type Checked, refuse } from "./transport-options.ts";

const { proxyWait, clientWait, secondChance, maxWaitingClients, adaptiveInterval } = REACH_POLICY;
const { shareSurplus } = REACH_POLICY;
const { silentProxiesLast, learnFromRetries, rememberNat, avoidSameCountry } = REACH_POLICY;

/** The groups of these options. */
const GROUPS: ReadonlySet<string> = new Set(["policy", "experience"]);

/** They begin with `policy`, which excludes all others if it is `reference`. */
export function policyOptions() {
  return {
    policy: new Option({
      name: "policy",
      type: oneOf("reach", "reference"),
      default: "reach",
      value: "NAME",
      group: "policy",
      help: "reference: none of what follows, as in the Go broker",
    }),
    proxyWait: new Option({
      name: "proxy-wait",
      type: durationBetween(PROXY_DEADLINE, LONGEST_PROXY_WAIT, 1_000),
      default: proxyWait,
      value: "TIME",
      group: "policy",
      help: "how long a poll waits while proxies are scarce",
    }),
    clientWait: new Option({
      name: "client-wait",
      type: durationBetween(0, 4_000),
      default: clientWait,
      value: "TIME",
      group: "policy",
      help: "how long a client waits for a proxy if there is none",
    }),
    maxWaitingClients: new Option({
      name: "max-waiting-clients",
      type: intAtLeast(1),
      default: maxWaitingClients,
      value: "N",
      group: "policy",
      help: "clients that may do so at once; more are denied",
    }),
    adaptivePollInterval: new Option({
      name: "adaptive-poll-interval",
      type: BOOL,
      default: adaptiveInterval !== undefined,
      group: "policy",
      help: "shorter poll intervals while proxies are scarce",
    }),
    leastPollInterval: new Option({
      name: "least-poll-interval",
      type: durationBetween(100, 3_600_000),
      default: adaptiveInterval?.least ?? 0,
      value: "TIME",
      group: "policy",
      help: "the least, unless less is configured",
    }),
    mostPollInterval: new Option({
      name: "most-poll-interval",
      type: durationBetween(100, 3_600_000),
      default: adaptiveInterval?.most ?? 0,
      value: "TIME",
      group: "policy",
      help: "the most, unless more is configured",
    }),
    secondChance: new Option({
      name: "second-chance",
      type: durationBetween(0, 4_000),
      default: secondChance ?? 0,
      value: "TIME",
      group: "policy",
      help: "when to ask another proxy if one is silent; 0: never",
    }),
    shareSurplus: new Option({
      name: "share-surplus",
      type: BOOL,
      default: shareSurplus,
      group: "policy",
      help: "give open proxies to all clients while there are more than needed",
    }),
    silentProxiesLast: new Option({
      name: "silent-proxies-last",
      type: BOOL,
      default: silentProxiesLast,
      group: "experience",
      help: "take proxies of addresses that did not answer after all others",
    }),
    learnFromRetries: new Option({
      name: "learn-from-retries",
      type: BOOL,
      default: learnFromRetries,
      group: "experience",
      help: "give a client that comes back soon after an answer another proxy, and an easier one",
    }),
    rememberNat: new Option({
      name: "remember-nat",
      type: durationBetween(0, 7 * 24 * 3_600_000),
      default: rememberNat,
      value: "TIME",
      group: "experience",
      help: "how long a proxy of unknown NAT type counts as what its address was before; 0: it does not",
    }),
    avoidSameCountry: new Option({
      name: "avoid-same-country",
      type: BOOL,
      default: avoidSameCountry,
      group: "experience",
      help: "give a client no proxy in its own country while there are others; needs the country files",
    }),
  };
}

/** What of the table the policy is made of. */
export type PolicyOptions = ReturnType<typeof policyOptions>;

/** Whether the reference's policy was asked for, which leaves no place for this option. */
export function isExcluded({ policy }: PolicyOptions, option: AnyOption): boolean {
  return (
    policy.value === "reference" && option.name !== policy.name && GROUPS.has(option.entry.group)
  );
}

/** The policy that was asked for. */
export function choosePolicy(options: PolicyOptions, warnings: string[]): Checked<MatchingPolicy> {
  const { policy, adaptivePollInterval, leastPollInterval, mostPollInterval } = options;
  if (policy.value === "reference") {
    const other = Object.values(options).find(
      (option) => option.given && isExcluded(options, option),
    );
    return other === undefined
      ? { ok: true, value: REFERENCE_POLICY }
      : refuse(`--policy=reference excludes --${other.name}: leave one of them out`);
  }
  if (leastPollInterval.value > mostPollInterval.value) {
    return refuse(
      `--least-poll-interval=${leastPollInterval.text} is more than ` +
        `--most-poll-interval=${mostPollInterval.text}: lower one or raise the other`,
    );
  }
  const doNothing = (useless: readonly AnyOption[], since: string) => {
    for (const { name, text, defaultText } of useless) {
      if (text !== defaultText) warnings.push(`--${name} does nothing: ${since} is given`);
    }
  };
  if (options.clientWait.value === 0) doNothing([options.maxWaitingClients], "--client-wait=0s");
  if (!adaptivePollInterval.value) {
    doNothing([leastPollInterval, mostPollInterval], "--adaptive-poll-interval=false");
  }
  return {
    ok: true,
    value: {
      ...REACH_POLICY,
      proxyWait: options.proxyWait.value,
      clientWait: options.clientWait.value,
      maxWaitingClients: options.maxWaitingClients.value,
      adaptiveInterval: adaptivePollInterval.value
        ? { least: leastPollInterval.value, most: mostPollInterval.value }
        : undefined,
      secondChance: options.secondChance.value || undefined,
      silentProxiesLast: options.silentProxiesLast.value,
      learnFromRetries: options.learnFromRetries.value,
      rememberNat: options.rememberNat.value,
      avoidSameCountry: options.avoidSameCountry.value,
      shareSurplus: options.shareSurplus.value,
    },
  };
}
