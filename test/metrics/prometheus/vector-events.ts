/** Plays the events of the vector file to the metrics, in the words of the broker. */

import type { RendezvousMethod } from "../../../src/broker/broker.ts";
import type { OfferEnd } from "../../../src/broker/events.ts";
import { parseNatType } from "../../../src/messages/nat-type.ts";
import { foldProxyType } from "../../../src/messages/proxy-type.ts";
import type { PrometheusMetrics } from "../../../src/metrics/prometheus/prometheus-metrics.ts";
import vector from "../../vectors/prometheus.json";

type VectorEvent = (typeof vector.events)[number];

const OFFER_ENDS = new Map<string | undefined, OfferEnd>([
  ["denied", "denied"],
  ["matched", "answered"],
  ["timeout", "timed-out"],
]);

const METHODS = new Map<string | undefined, RendezvousMethod>([
  ["http", "http"],
  ["ampcache", "ampcache"],
  ["sqs", "sqs"],
]);

/** The country table of the file's note. */
function countryOf(ip: string | undefined): string {
  if (ip?.startsWith("1.0.0.") === true) return "AU";
  return /^1\.0\.[123]\./.test(ip ?? "") ? "CN" : "??";
}

export function playVector(metrics: PrometheusMetrics): void {
  const seen = new Set<string | undefined>();
  for (const event of vector.events) {
    for (let n = 0; n < (event.times ?? 1); n++) play(metrics, event, seen);
  }
}

function play(metrics: PrometheusMetrics, event: VectorEvent, seen: Set<string | undefined>): void {
  const nat = known(parseNatType(event.nat ?? event.labels?.nat ?? ""));
  const type = foldProxyType(event.type ?? event.labels?.type ?? "");
  switch (event.do) {
    case "client": {
      const method = known(METHODS.get(event.method));
      metrics.clientEnded(countryOf(event.ip), nat, method, known(OFFER_ENDS.get(event.status)), 0);
      return;
    }
    case "proxy":
      if (!seen.has(event.ip)) metrics.newProxyAddress(countryOf(event.ip), nat, type);
      seen.add(event.ip);
      return;
    case "gauge_add":
      // A poll that was admitted and has gone leaves its child behind, at 0.
      metrics.pollAdmitted(nat, type);
      metrics.pollEnded(nat, type, "too-soon", 0);
      for (let n = 0; n < (event.value ?? 0); n++) metrics.pollAdmitted(nat, type);
      return;
    case "counter":
      break;
    default:
      throw new Error(`unknown event ${event.do}`);
  }
  switch (event.metric) {
    case "rounded_proxy_poll_total":
      metrics.pollAdmitted(nat, type);
      metrics.pollEnded(nat, type, event.labels?.status === "matched" ? "matched" : "idle", 0);
      return;
    case "rounded_proxy_answer_total":
      metrics.answerEnded(event.labels?.status === "success" ? type : undefined);
      return;
    case "rounded_proxy_poll_with_relay_url_extension_total":
      metrics.pollReceived(nat, type, true);
      return;
    case "rounded_proxy_poll_without_relay_url_extension_total":
      metrics.pollReceived(nat, type, false);
      return;
    case "rounded_proxy_poll_rejected_relay_url_extension_total":
      metrics.pollEnded(nat, type, "pattern-rejected", 0);
      return;
    case undefined:
    default:
      throw new Error(`unknown counter ${event.metric}`);
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a word that the broker does not know");
  return value;
}
