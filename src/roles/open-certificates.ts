/** Opens the certificate source that the options ask for, and the listener that ACME needs on port 80. */

import { X509Certificate } from "node:crypto";

import { ACME_FIELDS, createAcmeHandler } from "../frontend/http/acme-http.ts";
import { HttpServer, NO_CONNECTION_EVENTS } from "../http/server.ts";
import type { Logger } from "../log/logger.ts";
import { systemClock } from "../system/system-clock.ts";
import { AcmeAuthority } from "../tls/acme/authority.ts";
import { AcmeCache } from "../tls/acme/cache.ts";
import { AcmeCertificates } from "../tls/acme/certificates.ts";
import type { CertificateEvents } from "../tls/certificate-events.ts";
import { CertificateFiles } from "../tls/certificate-files.ts";
import { CertificatePipe } from "../tls/certificate-pipe.ts";
import type { CertificateSource } from "../tls/certificate-source.ts";
import { reasonOf } from "../tls/certificate.ts";
import { type ReadPem, readPemFile } from "../tls/pem-file.ts";
import type { AcmeOptions, Transport } from "../tls/transport.ts";

/** Connections to the port for HTTP-01: an authority makes a few, scanners make many. */
const ACME_CONNECTIONS = 256;

/** Milliseconds that replies on that port are given when it is closed. */
const STOP_TIMEOUT = 2_000;

/** A certificate source with what it runs in the background. */
export interface OpenCertificates {
  readonly source: CertificateSource;
  /** Ends the source's background work, and closes the ACME listener. */
  close(): Promise<void>;
}

/** The outcome of opening a source. */
export type OpenedCertificates =
  /** `certificates` is undefined where plain HTTP was asked for. */
  | { readonly ok: true; readonly certificates: OpenCertificates | undefined }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

/** Opens the source. With ACME, listens at once for HTTP-01 requests. */
export function openCertificates(
  transport: Transport,
  log: Logger,
  events: CertificateEvents,
): OpenedCertificates {
  switch (transport.kind) {
    case "plain":
      return { ok: true, certificates: undefined };
    case "tls": {
      const { cert, key } = transport;
      const opened = CertificateFiles.open({ cert, key, clock: systemClock, date: Date.now, log });
      if (!opened.ok) return opened;
      const { source } = opened;
      return { ok: true, certificates: { source, close: async () => source.stop() } };
    }
    case "acme":
      return openAcme(transport, log, events);
    case "stdin": {
      const source = new CertificatePipe({ input: process.stdin, log });
      return { ok: true, certificates: { source, close: async () => source.stop() } };
    }
  }
}

function openAcme(
  options: AcmeOptions,
  log: Logger,
  events: CertificateEvents,
): OpenedCertificates {
  const roots = options.ca === undefined ? undefined : readRoots(options.ca);
  if (roots?.ok === false) return roots;
  const ca = roots?.text;

  const challenges = new Map<string, string>();
  let listener: HttpServer;
  try {
    listener = new HttpServer({
      ...options.httpAddr,
      tls: undefined,
      sharePort: false,
      maxConnections: ACME_CONNECTIONS,
      handler: createAcmeHandler(challenges),
      fields: ACME_FIELDS,
      events: NO_CONNECTION_EVENTS,
      onBug: (error) => log.error("a request of port 80 failed", { error: String(error) }),
    });
  } catch (error) {
    return { ok: false, error: `cannot listen on --acme-http-addr: ${messageOf(error)}` };
  }

  log.info(`HTTP-01 requests are answered on port ${listener.port}`);

  const opened = AcmeCache.open(options.cacheDirectory);
  if (!opened.ok) {
    log.warn("no certificate is kept: the directory of --acme-cert-cache can't be made", {
      reason: opened.error,
    });
  }
  const cache = opened.ok ? opened.cache : undefined;

  const { hostnames, directory, email } = options;
  const source = new AcmeCertificates({
    hostnames,
    authority: new AcmeAuthority({ directory, ca, email, accountKeys: cache, challenges, log }),
    store: cache,
    clock: systemClock,
    date: Date.now,
    random: Math.random,
    events,
    log,
  });
  return {
    ok: true,
    certificates: {
      source,
      async close() {
        source.stop();
        await listener.stop(STOP_TIMEOUT);
      },
    },
  };
}

/** The certificates of the file that `--acme-ca` names, in a row. */
function readRoots(path: string): ReadPem {
  const read = readPemFile("--acme-ca", path, "certificate");
  if (!read.ok) return read;
  const certificates =
    read.text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) {
    return { ok: false, error: `--acme-ca ${path}: it holds no certificate that is whole` };
  }
  try {
    const text = certificates.map((pem) => new X509Certificate(pem).toString()).join("");
    return { ok: true, text };
  } catch (error) {
    const why = `a certificate in it can't be read: ${reasonOf(error)}`;
    return { ok: false, error: `--acme-ca ${path}: ${why}` };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
