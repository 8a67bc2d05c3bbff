/** What happens to certificates, for whoever counts it. */

import type { Certificate } from "./certificate.ts";

/** How an order for a certificate ended. */
export const ORDER_OUTCOMES = ["success", "failure"] as const;
export type OrderOutcome = (typeof ORDER_OUTCOMES)[number];

/** Told of every event: takes it down and returns. */
export interface CertificateEvents {
  /** From now on this certificate is served. */
  served(certificate: Pick<Certificate, "notAfter">): void;
  /** This process orders certificates: told once, before the first order. */
  ordersBegin(): void;
  /** An order ended; one that was cut short because the broker stops did not. */
  orderEnded(outcome: OrderOutcome): void;
}

/** For certificates that nobody counts. */
export const NO_CERTIFICATE_EVENTS: CertificateEvents = {
  served() {},
  ordersBegin() {},
  orderEnded() {},
};
