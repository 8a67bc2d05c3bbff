/** A certificate that renews itself: ordered from a certificate authority, kept on disk, ordered again in time. */

import type { Clock } from "../../broker/clock.ts";
import type { Logger } from "../../log/logger.ts";
import type { CertificateEvents } from "../certificate-events.ts";
import {
  type CertificateSource,
  CurrentCertificate,
  type ReloadedCertificate,
} from "../certificate-source.ts";
import type { TlsFiles } from "../certificate.ts";
import { type Certificate, parseCertificate } from "../certificate.ts";
import type { CertificateAuthority } from "./authority.ts";
import type { AcmeHostnames } from "./hostnames.ts";
import { AuthorityError } from "./request.ts";

/** Where certificates are kept, by the first of their names. Methods may throw. */
export interface CertificateStore {
  readCertificate(hostname: string): TlsFiles | undefined;
  writeCertificate(hostname: string, tls: TlsFiles): void;
}

export interface AcmeCertificatesParts {
  readonly hostnames: AcmeHostnames;
  readonly authority: CertificateAuthority;
  /** Undefined: the certificate is forgotten when the process ends. */
  readonly store: CertificateStore | undefined;
  readonly clock: Clock;
  /** Milliseconds since 1970. May jump. */
  readonly date: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly events: CertificateEvents;
  readonly log: Logger;
}

/** The parts of a certificate's lifetime after which it is renewed: two thirds, or up to a twentieth earlier. */
const RENEW_AFTER = 2 / 3;
const RENEW_EARLIER = 1 / 20;

/**
 * Milliseconds between failed attempts: doubling from one minute to six hours. Let's Encrypt lets a host name fail five
 * times at once and then once in twelve minutes; this stays below.
 */
const FIRST_RETRY = 60_000;
const LONGEST_RETRY = 6 * 3_600_000;
/** No authority is obeyed that wants to be left alone for longer. */
const LONGEST_RETRY_AFTER = 24 * 3_600_000;

/** Milliseconds that pass without a look at the date, which may be set, when renewal is days away. */
const LOOK_AGAIN = 3_600_000;

/** Starts at once: with the certificate that is kept, if it is still good, else with an order. */
export class AcmeCertificates implements CertificateSource {
  readonly #parts: AcmeCertificatesParts;
  readonly #current: CurrentCertificate;
  readonly #stopped = new AbortController();
  /** Attempts in a row. */
  #failures = 0;
  #cancelNext: () => void = () => {};

  constructor(parts: AcmeCertificatesParts) {
    this.#parts = parts;
    parts.events.ordersBegin();
    const kept = this.#readKept();
    this.#current = new CurrentCertificate(kept);
    if (kept === undefined) {
      parts.log.info("a certificate is ordered", { hostnames: parts.hostnames.join(",") });
      this.#orderIn(0);
    } else {
      this.#renewInTime(kept, "the certificate that was kept is used");
    }
  }

  current(): Certificate | undefined {
    return this.#current.get();
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    return this.#current.onChange(listener);
  }

  /** There are no files to look at: certificates come when they are due. */
  reload(): ReloadedCertificate {
    return { ok: true };
  }

  stop(): void {
    this.#cancelNext();
    this.#stopped.abort(new Error("the broker stops"));
  }

  /** The certificate of an earlier run, or of the Go broker, if it is good for all names now. */
  #readKept(): Certificate | undefined {
    const { hostnames, store, log } = this.#parts;
    try {
      const tls = store?.readCertificate(hostnames[0]);
      if (tls === undefined) return undefined;
      return this.#check(tls);
    } catch (error) {
      log.warn("the certificate that was kept can't be used", { reason: messageOf(error) });
      return undefined;
    }
  }

  /** Throws if it can't be served to whoever asks for one of the names now. */
  #check(tls: TlsFiles): Certificate {
    const parsed = parseCertificate(tls);
    if (!parsed.ok) throw new Error(parsed.error);
    const { certificate } = parsed;
    const missing = this.#parts.hostnames.find((hostname) => !certificate.covers(hostname));
    if (missing !== undefined) throw new Error(`it is not for ${missing}`);
    if (certificate.notAfter <= this.#parts.date()) throw new Error("it has expired");
    return certificate;
  }

  /** `earliest`: the date before which it is not renewed. */
  #renewInTime({ notBefore, notAfter }: Certificate, message: string, earliest = 0): void {
    const { hostnames, log, random } = this.#parts;
    const share = RENEW_AFTER - RENEW_EARLIER * random();
    const renewal = Math.max(notBefore + (notAfter - notBefore) * share, earliest);
    log.info(message, {
      hostnames: hostnames.join(","),
      expires: formatDate(notAfter),
      renewal: formatDate(renewal),
    });
    this.#orderOn(renewal);
  }

  #orderOn(date: number): void {
    const { clock } = this.#parts;
    const left = date - this.#parts.date();
    if (left <= 0) {
      this.#orderIn(0);
      return;
    }
    const next = clock.now() + Math.min(left, LOOK_AGAIN);
    this.#cancelNext = clock.callAt(next, () => this.#orderOn(date));
  }

  #orderIn(ms: number): void {
    const { clock } = this.#parts;
    this.#cancelNext = clock.callAt(clock.now() + ms, () => void this.#order());
  }

  /** Never rejects. */
  async #order(): Promise<void> {
    const { hostnames, authority, date } = this.#parts;
    let certificate: Certificate;
    try {
      const { signal } = this.#stopped;
      certificate = this.#check(await authority.issue(hostnames, signal));
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#retry(error);
      return;
    }
    this.#parts.events.orderEnded("success");
    this.#keep(certificate);
    if (this.#stopped.signal.aborted) return;
    this.#failures = 0;
    // Whatever dates an authority writes, half of the time that is left passes before it is asked again.
    this.#renewInTime(certificate, "new certificate", (date() + certificate.notAfter) / 2);
    this.#current.replace(certificate);
  }

  #keep({ tls }: Certificate): void {
    const { hostnames, store, log } = this.#parts;
    try {
      store?.writeCertificate(hostnames[0], tls);
    } catch (error) {
      log.warn("the certificate can't be kept: the next start will order another", {
        reason: messageOf(error),
      });
    }
  }

  #retry(error: unknown): void {
    const { date, events, hostnames, log, random } = this.#parts;
    events.orderEnded("failure");
    const [type, retryAfter] =
      error instanceof AuthorityError ? [error.type, error.retryAfter * 1000] : ["", 0];
    const backOff = Math.min(FIRST_RETRY * 2 ** this.#failures, LONGEST_RETRY);
    // A little more, so that brokers that failed together do not try together.
    const jitter = 1 + random() / 10;
    const wait = Math.max(backOff, Math.min(retryAfter, LONGEST_RETRY_AFTER)) * jitter;
    this.#failures++;
    const certificate = this.#current.get();
    log.error(`no certificate for ${hostnames.join(", ")}: ${messageOf(error)}`, {
      advice: ADVICE.get(type) ?? "look at the reason; the next attempt may do better",
      attempts: this.#failures,
      next: formatDate(date() + wait),
      ...(certificate === undefined
        ? { meanwhile: "nobody can connect" }
        : { "old one expires": formatDate(certificate.notAfter) }),
    });
    this.#orderIn(wait);
  }
}

const REACHABILITY =
  "each host name has to lead to this machine (A and AAAA records), and port 80 has to reach --acme-http-addr from everywhere";
const NAMES = "see whether every name of --acme-hostnames is right and yours";

/** What an operator can do about an ACME error (RFC 8555, section 6.7). */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["unreachable", "this machine has to reach --acme-directory; a root of your own needs --acme-ca"],
  ["connection", REACHABILITY],
  ["dns", REACHABILITY],
  ["unauthorized", REACHABILITY],
  ["incorrectResponse", REACHABILITY],
  ["rejectedIdentifier", NAMES],
  ["caa", "the CAA records of the host name have to admit the authority"],
  ["rateLimited", "wait; try things out with a staging --acme-directory"],
  ["invalidContact", "see whether --acme-email is right"],
  ["unsupportedContact", "see whether --acme-email is right"],
  [
    "externalAccountRequired",
    "choose another --acme-directory: this one wants an account made by hand",
  ],
  ["serverInternal", "nothing: the authority has trouble of its own"],
]);

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
}

function formatDate(time: number): string {
  return new Date(time).toISOString();
}
