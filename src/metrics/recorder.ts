/** Turns what the broker tells into what the three kinds of statistics count. */

import type { Offer, Poll } from "../broker/broker.ts";
import type { BrokerEvents, OfferEnd, PolicyAct, PollEnd } from "../broker/events.ts";
import type { MessageRoute, RefusalEvents, RefusalReason } from "../frontend/refusals.ts";
import type { Address } from "../messages/address.ts";
import type { ProxyType } from "../messages/proxy-type.ts";
import type { ClientEnd, DailyCounters } from "./daily/daily-counters.ts";
import type { DistinctAddresses } from "./distinct/distinct-addresses.ts";
import type { PrometheusMetrics } from "./prometheus/prometheus-metrics.ts";

export interface RecorderParts {
  readonly daily: DailyCounters;
  readonly prometheus: PrometheusMetrics;
  /** Undefined: distinct addresses are not journalled. */
  readonly distinct: DistinctAddresses | undefined;
  /** The country of an address, `??` if it is unknown. */
  readonly countryOf: (address: Address | undefined) => string;
}

/** What the daily report calls the end of an offer; undefined: it does not count it. */
const CLIENT_END: Readonly<Record<OfferEnd, ClientEnd | undefined>> = {
  answered: "matched",
  denied: "denied",
  full: "denied",
  "timed-out": "timeout",
  abandoned: "timeout",
  "unknown-bridge": undefined,
};

export class Recorder implements BrokerEvents, RefusalEvents {
  readonly #parts: RecorderParts;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  pollReceived({ nat, type, relayPattern }: Poll): void {
    const withPattern = relayPattern !== null;
    this.#parts.daily.pollReceived(withPattern);
    this.#parts.prometheus.pollReceived(nat, type, withPattern);
  }

  pollAdmitted({ address, nat, type }: Poll, addressKey: number): void {
    const { daily, prometheus, distinct, countryOf } = this.#parts;
    prometheus.pollAdmitted(nat, type);
    if (daily.proxySeen(addressKey, () => countryOf(address), nat, type)) {
      prometheus.newProxyAddress(countryOf(address), nat, type);
    }
    if (address !== undefined) distinct?.record(address, nat, type);
  }

  pollEnded({ nat, type }: Poll, end: PollEnd, elapsed: number): void {
    this.#parts.prometheus.pollEnded(nat, type, end, elapsed);
    if (end === "pattern-rejected") this.#parts.daily.patternRejected();
    // A proxy that hung up counts as one that waited in vain, as it always has.
    else if (end !== "matched" && end !== "too-soon") this.#parts.daily.pollIdle();
  }

  offerEnded({ address, nat, rendezvous }: Offer, end: OfferEnd, elapsed: number): void {
    const country = this.#parts.countryOf(address);
    this.#parts.prometheus.clientEnded(country, nat, rendezvous, end, elapsed);
    const dailyEnd = CLIENT_END[end];
    if (dailyEnd !== undefined) {
      this.#parts.daily.clientEnded(rendezvous, dailyEnd, nat, country);
    }
  }

  answerEnded(delivered: ProxyType | undefined): void {
    this.#parts.prometheus.answerEnded(delivered);
  }

  policyActed(act: PolicyAct): void {
    this.#parts.prometheus.policyActed(act);
  }

  refused(route: MessageRoute, reason: RefusalReason): void {
    this.#parts.prometheus.refused(route, reason);
  }
}
