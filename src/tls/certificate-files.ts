/** A certificate and its key in two files, which may be replaced while the broker runs. */

import { statSync } from "node:fs";

import type { Clock } from "../broker/clock.ts";
import type { Logger } from "../log/logger.ts";
import {
  type CertificateSource,
  CurrentCertificate,
  type ReloadedCertificate,
} from "./certificate-source.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { readPemFile } from "./pem-file.ts";

export interface CertificateFilesParts {
  /** Paths of PEM files: the chain, the certificate itself first, and the private key. */
  readonly cert: string;
  readonly key: string;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly date: () => number;
  readonly log: Logger;
}

export type OpenedCertificateFiles =
  | { readonly ok: true; readonly source: CertificateFiles }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

/** How often the files are looked at, in ms. They are read when they have stood still for one such time. */
const LOOK_AGAIN = 2_000;

/**
 * Looks whether the files have changed instead of waiting to be told: that works for files that are renamed into
 * place, for links that are turned, and on every file system. Two `stat` calls every 2 s cost next to nothing.
 */
export class CertificateFiles implements CertificateSource {
  readonly #parts: CertificateFilesParts;
  readonly #current: CurrentCertificate;
  /** What the files looked like when they were last looked at, and when they were last read. */
  #seen: string;
  #read: string;
  #stopLooking: () => void = () => {};

  /** Reads the files; an error names the one that is wrong, or both. */
  static open(parts: CertificateFilesParts): OpenedCertificateFiles {
    const look = lookAt(parts);
    const read = readPair(parts);
    if (!read.ok) return read;
    return { ok: true, source: new CertificateFiles(parts, look, read.certificate) };
  }

  private constructor(parts: CertificateFilesParts, look: string, certificate: Certificate) {
    this.#parts = parts;
    this.#seen = look;
    this.#read = look;
    this.#current = new CurrentCertificate(certificate);
    this.#warnOfDates(certificate);
    this.#lookLater();
  }

  current(): Certificate | undefined {
    return this.#current.get();
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    return this.#current.onChange(listener);
  }

  reload(): ReloadedCertificate {
    this.#read = this.#seen = lookAt(this.#parts);
    const read = readPair(this.#parts);
    if (!read.ok) return read;
    const { certificate } = read;
    const { tls } = certificate;
    const old = this.#current.get();
    if (old?.tls.cert === tls.cert && old.tls.key === tls.key) return { ok: true };
    this.#warnOfDates(certificate);
    this.#parts.log.info("new certificate", { expires: formatDate(certificate.notAfter) });
    this.#current.replace(certificate);
    return { ok: true };
  }

  stop(): void {
    this.#stopLooking();
  }

  #lookLater(): void {
    const { clock } = this.#parts;
    this.#stopLooking = clock.callAt(clock.now() + LOOK_AGAIN, () => {
      this.#look();
      this.#lookLater();
    });
  }

  /** Whoever replaces two files does it one after the other: they are read when neither changes any more. */
  #look(): void {
    const look = lookAt(this.#parts);
    const stoodStill = look === this.#seen;
    this.#seen = look;
    if (!stoodStill || look === this.#read) return;
    const reloaded = this.reload();
    if (!reloaded.ok) {
      this.#parts.log.error(`${reloaded.error}; the old one stays in use`, {
        expires: formatDate(this.#current.get()?.notAfter ?? 0),
      });
    }
  }

  #warnOfDates({ notBefore, notAfter }: Certificate): void {
    const { date, log } = this.#parts;
    if (notBefore > date()) {
      log.warn("the certificate is not valid yet: look at the clock, or at the file", {
        begins: formatDate(notBefore),
      });
    }
    if (notAfter <= date()) {
      log.warn("the certificate has expired", { expires: formatDate(notAfter) });
    }
  }
}

type Paths = Pick<CertificateFilesParts, "cert" | "key">;

/** What changes whenever a file is replaced, written to, removed or made unreadable. */
function lookAt({ cert, key }: Paths): string {
  return [cert, key]
    .map((path) => {
      try {
        const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
        return `${dev} ${ino} ${size} ${mtimeNs}`;
      } catch (error) {
        return String(error);
      }
    })
    .join("\n");
}

type ReadPair =
  | { readonly ok: true; readonly certificate: Certificate }
  | { readonly ok: false; readonly error: string };

function readPair({ cert: certPath, key: keyPath }: Paths): ReadPair {
  const cert = readPemFile("--cert", certPath, "certificate");
  if (!cert.ok) return cert;
  const key = readPemFile("--key", keyPath, "private key");
  if (!key.ok) return key;
  const parsed = parseCertificate({ cert: cert.text, key: key.text });
  if (parsed.ok) return parsed;
  const culprits = {
    cert: `--cert ${certPath}`,
    key: `--key ${keyPath}`,
    pair: `--cert ${certPath} and --key ${keyPath}`,
  };
  return { ok: false, error: `${culprits[parsed.part]}: ${parsed.error}` };
}

function formatDate(time: number): string {
  return new Date(time).toISOString();
}
