/** What Prometheus is told of certificates. */

import { Gauge, type Registry } from "prom-client";

import { type CertificateEvents, ORDER_OUTCOMES } from "../../tls/certificate-events.ts";
import { CountedFamilies, NAMESPACE } from "./counted-families.ts";

/**
 * When the certificate that this process serves expires, and how its orders ended. Where it serves none, or orders
 * none, the family is not shown. The names are the same in every role, so that one alert does for all: of the processes
 * whose figures come on one page only one has the family.
 */
export function certificateFamilies(registry: Registry): CertificateEvents {
  let notAfter: number | undefined;
  const expiry = new Gauge({
    name: `${NAMESPACE}certificate_expiry_timestamp_seconds`,
    help: "When the certificate that is served expires, in seconds since 1970",
    registers: [],
    collect() {
      if (notAfter === undefined) this.remove();
      else this.set(notAfter / 1000);
    },
  });
  registry.registerMetric(expiry);
  const orders = new CountedFamilies(registry).exactCounter(
    "certificate_renewals_total",
    "The number of orders for a certificate, the first one too, by how they ended",
    ["outcome"],
  );
  return {
    served(certificate) {
      notAfter = certificate.notAfter;
    },
    ordersBegin() {
      for (const outcome of ORDER_OUTCOMES) orders.add({ outcome }, 0);
    },
    orderEnded: (outcome) => orders.add({ outcome }),
  };
}
