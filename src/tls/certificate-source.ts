/** Where the certificate comes from that the TLS port serves, as its users see it. */

import type { Certificate } from "./certificate.ts";

export interface CertificateSource {
  /** The certificate to serve now; undefined: there is none yet. */
  current(): Certificate | undefined;
  /**
   * Calls `listener`, which must not throw, with each certificate that takes the place of the current one; returns what
   * ends that.
   */
  onChange(listener: (certificate: Certificate) => void): () => void;
  /** Looks at once for a new certificate, if there are files to look at. On failure the current one stays. */
  reload(): ReloadedCertificate;
  /** Ends all work in the background. The current certificate stays. */
  stop(): void;
}

export type ReloadedCertificate =
  { readonly ok: true } | { readonly ok: false; readonly error: string };

/** The certificate of a source, and who wants to know of the next. */
export class CurrentCertificate {
  #certificate: Certificate | undefined;
  readonly #listeners = new Set<(certificate: Certificate) => void>();

  constructor(certificate: Certificate | undefined) {
    this.#certificate = certificate;
  }

  get(): Certificate | undefined {
    return this.#certificate;
  }

  /** Puts a certificate in the place of the current one and tells. */
  replace(certificate: Certificate): void {
    this.#certificate = certificate;
    for (const listener of this.#listeners) listener(certificate);
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
