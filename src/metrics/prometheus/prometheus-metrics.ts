/**
 * What Prometheus is told of a broker: the eight families of the reference broker, and more of our own beside them,
 * all named `snowflake_…`. Whatever counts messages of clients or proxies is shown rounded up to multiples of 8.
 *
 * Label values are NAT types, proxy types, ways in, outcomes and reasons, of which there are only so many, and
 * countries, whose number is bounded. No address, description or session id comes near.
 */

import { Registry } from "prom-client";

import type { RendezvousMethod } from "../../broker/broker.ts";
import type { OfferEnd, PolicyAct, PollEnd } from "../../broker/events.ts";
import { POOL_OF_PROXY } from "../../broker/policy/nat-classes.ts";
import type { MessageRoute, RefusalReason } from "../../frontend/refusals.ts";
import type { SqsEvents } from "../../frontend/sqs/sqs-events.ts";
import type { ConnectionEvents } from "../../http/server.ts";
import type { ClusterEvents } from "../../link/nats/cluster-events.ts";
import type { NatType } from "../../messages/nat-type.ts";
import type { ProxyType } from "../../messages/proxy-type.ts";
import type { CertificateEvents } from "../../tls/certificate-events.ts";
import { certificateFamilies } from "./certificate-families.ts";
import { clusterFamilies } from "./cluster-families.ts";
import { connectionFamilies } from "./connection-families.ts";
import type { CountTable } from "./count-table.ts";
import { CountedFamilies, NAMESPACE } from "./counted-families.ts";
import { CountryLabels } from "./country-labels.ts";
import { EventLoopLag } from "./event-loop-lag.ts";
import { formatExposition } from "./exposition.ts";
import { type Load, registerLoadFamilies } from "./load-families.ts";
import { outcomeFamilies } from "./outcome-families.ts";
import { registerProcessFamilies } from "./process-families.ts";
import { sqsFamily } from "./sqs-family.ts";
import { OFFER_STATUS, POLL_STATUS, upstreamFamilies } from "./upstream-families.ts";

export interface PrometheusMetricsParts {
  /** The version of this program. */
  readonly version: string;
  /** How busy the broker is; asked at every scrape. */
  readonly load: () => Load;
}

/** Told of every event in the middle of the hot path: counts and returns, in less than half a microsecond. */
export class PrometheusMetrics {
  readonly #registry = new Registry();
  readonly #countries = new CountryLabels();
  readonly #lag: EventLoopLag;
  readonly #upstream: ReturnType<typeof upstreamFamilies>;
  readonly #outcomes: ReturnType<typeof outcomeFamilies>;
  readonly #workerRestarts: CountTable<never>;
  /** Told of what happens in the rendezvous through SQS. */
  readonly sqs: SqsEvents;
  /** Told of the cluster that this node is in. */
  readonly cluster: ClusterEvents;
  /** Told of the connections of this process. */
  readonly connections: ConnectionEvents;
  /** Told of the certificates of this process. */
  readonly certificates: CertificateEvents;

  /** Measures the event loop's lag until it is closed. */
  constructor({ version, load }: PrometheusMetricsParts) {
    const families = new CountedFamilies(this.#registry);
    this.#upstream = upstreamFamilies(families);
    this.#outcomes = outcomeFamilies(families, this.#registry);
    this.sqs = sqsFamily(families);
    this.cluster = clusterFamilies(this.#registry);
    this.certificates = certificateFamilies(this.#registry);
    this.#workerRestarts = families.exactCounter(
      "worker_restarts_total",
      "The number of times that an http-frontend died and was started again",
      [],
    );
    registerLoadFamilies(this.#registry, load);
    registerProcessFamilies(this.#registry, version);
    this.#lag = new EventLoopLag(this.#registry);
    this.connections = connectionFamilies(this.#registry, NAMESPACE, this.#lag);
  }

  /** A poll came in. `withPattern`: it named a relay pattern, be it an empty one. */
  pollReceived(nat: NatType, type: ProxyType, withPattern: boolean): void {
    this.#lag.worked();
    const table = withPattern
      ? this.#upstream.pollsWithPattern
      : this.#upstream.pollsWithoutPattern;
    table.add({ nat, type });
  }

  /** A poll passed the pattern check: its proxy is available until the poll has ended, whether it waits or not. */
  pollAdmitted(nat: NatType, type: ProxyType): void {
    this.#upstream.availableProxies.add({ nat, type });
  }

  /** A proxy came from an address that has not been seen since the last daily report. */
  newProxyAddress(country: string, nat: NatType, type: ProxyType): void {
    this.#upstream.proxies.add({ cc: this.#countries.fold(country), nat, type });
  }

  /** A poll ended, `elapsed` ms after it came. Every one that is not `pattern-rejected` must have been admitted. */
  pollEnded(nat: NatType, type: ProxyType, end: PollEnd, elapsed: number): void {
    this.#outcomes.polls.add({ outcome: end, type });
    if (end === "pattern-rejected") {
      this.#upstream.pollsRejected.add({ nat, type });
      return;
    }
    this.#upstream.availableProxies.add({ nat, type }, -1);
    const status = POLL_STATUS[end];
    if (status !== undefined) this.#upstream.polls.add({ nat, status, type });
    if (end === "matched") this.#outcomes.pollToOffer[POOL_OF_PROXY[nat]].observe(elapsed / 1000);
  }

  /** A client's offer ended, `elapsed` ms after it came. */
  clientEnded(
    country: string,
    nat: NatType,
    rendezvous: RendezvousMethod,
    end: OfferEnd,
    elapsed: number,
  ): void {
    this.#outcomes.offers.add({ outcome: end, rendezvous_method: rendezvous });
    const status = OFFER_STATUS[end];
    if (status !== undefined) {
      const cc = this.#countries.fold(country);
      this.#upstream.clientPolls.add({ cc, nat, rendezvous_method: rendezvous, status });
    }
    if (end === "answered") this.#outcomes.offerToAnswer.observe(elapsed / 1000);
  }

  /** An answer reached the client of a proxy of this type, or came when there was no client (any more). */
  answerEnded(delivered: ProxyType | undefined): void {
    const outcome = delivered === undefined ? "client-gone" : "delivered";
    this.#outcomes.answers.add({ outcome });
    // "timeout" and an empty type are what the reference broker calls an answer that came for nobody.
    const status = delivered === undefined ? "timeout" : "success";
    this.#upstream.answers.add({ status, type: delivered ?? "" });
  }

  /** The matching policy did something that the reference's does not. */
  policyActed(act: PolicyAct): void {
    this.#outcomes.policyActs.add({ act });
  }

  /** A message was refused before the broker saw it. */
  refused(route: MessageRoute, reason: RefusalReason): void {
    this.#outcomes.refused.add({ reason, route });
  }

  /** An http-frontend of ours died and is started again. */
  workerRestarted(): void {
    this.#workerRestarts.add({});
  }

  /** Everything in the Prometheus text format, or only the families of these names. */
  async exposition(names?: ReadonlySet<string>): Promise<string> {
    const families = await this.#registry.getMetricsAsJSON();
    return formatExposition(
      families
        .filter((family) => names === undefined || names.has(family.name))
        // The library declares the type as an enum, but it is the word of the format.
        .map((family) => ({ ...family, type: String(family.type) })),
    );
  }

  /** Stops what measures on its own. */
  close(): void {
    this.#lag.close();
  }
}
