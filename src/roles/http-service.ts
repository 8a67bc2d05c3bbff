/** The half of the program that speaks to the world: the HTTP port, with its certificate. */

import type { ListeningOptions } from "../cli/options.ts";
import { HttpPort } from "../frontend/http/http-port.ts";
import type { IsMate } from "../frontend/http/port-claim.ts";
import type { ExpositionSource } from "../frontend/http/prometheus-route.ts";
import { createRoutes } from "../frontend/http/routes.ts";
import type { Destination } from "../frontend/rendezvous.ts";
import type { ConnectionEvents } from "../http/server.ts";
import type { Logger } from "../log/logger.ts";
import { openFileLimit } from "../system/processes.ts";
import { systemClock } from "../system/system-clock.ts";
import type { CertificateEvents } from "../tls/certificate-events.ts";
import type { Certificate } from "../tls/certificate.ts";
import { openCertificates } from "./open-certificates.ts";

export interface ListeningParts {
  readonly options: ListeningOptions;
  /** Which other processes may listen on the port; undefined: none. */
  readonly isMate?: IsMate;
  /** Where messages go. */
  readonly destination: Destination;
  readonly prometheus: ExpositionSource;
  readonly certificateEvents: CertificateEvents;
  readonly connectionEvents: ConnectionEvents;
  readonly log: Logger;
  /** It listens, be it at once or when the first certificate is there. */
  readonly onListens?: () => void;
  /** The port can't be had when the first certificate is there: there is nothing to stay for. */
  readonly onLost: () => void;
}

export interface Listening {
  /** Where it listens, as a URL; undefined: it waits for its first certificate. */
  readonly url: string | undefined;
  /** Looks for a new certificate: SIGHUP. */
  reload(): void;
  /**
   * Asks every peer to close its connection, over `--drain-spread`, and no authority for certificates any more. The port
   * stays open: a proxy may have to connect to bring the answer for a client in flight.
   */
  retire(): Promise<void>;
  /** Closes the port, after pending responses have had their time. */
  stop(): Promise<void>;
}

export type StartedListening =
  | { readonly ok: true; readonly listening: Listening }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

export function startListening(parts: ListeningParts): StartedListening {
  const { options, isMate, destination, certificateEvents, log } = parts;
  const opened = openCertificates(options.transport, log, certificateEvents);
  if (!opened.ok) return opened;
  const { certificates } = opened;

  const http3 = options.http3
    ? {
        lost: (error: unknown) =>
          log.error("no HTTP/3 until the certificate changes again", { error: String(error) }),
      }
    : undefined;
  const events = withLog(parts.connectionEvents, log);
  let port: HttpPort | undefined;
  /** Listens, with a certificate or without one; then takes one certificate after the other. */
  const serve = (certificate: Certificate | undefined) => {
    if (certificate !== undefined && port !== undefined) {
      port.replaceCertificate(certificate.tls);
      certificateEvents.served(certificate);
      return;
    }
    port = new HttpPort({
      ...options,
      ...options.addr,
      maxConnections: options.maxConnections ?? connectionsBy(openFileLimit()),
      timeLimits: { request: options.idleTimeout },
      tls: certificate?.tls,
      isMate,
      http3,
      events,
      handler: createRoutes({ ...destination, ...options, prometheus: parts.prometheus }),
      onBug: (error: unknown) => log.error("a request failed", { error: String(error) }),
    });
    if (certificate !== undefined) certificateEvents.served(certificate);
    log.info(`listening on ${port.url}`);
    if (http3 !== undefined) log.info("HTTP/3 on the UDP port of the same number");
    parts.onListens?.();
  };

  const first = certificates?.source.current();
  if (certificates === undefined || first !== undefined) {
    try {
      serve(first);
    } catch (error) {
      return { ok: false, error: `cannot listen: ${messageOf(error)}` };
    }
  }
  certificates?.source.onChange((certificate) => {
    try {
      serve(certificate);
    } catch (error) {
      if (port !== undefined) {
        log.error("the new certificate is not in use", { error: String(error) });
        return;
      }
      log.error(`cannot listen: ${messageOf(error)}`);
      parts.onLost();
    }
  });

  const listening: Listening = {
    get url() {
      return port?.url;
    },
    reload() {
      const reloaded = certificates?.source.reload();
      if (reloaded?.ok === false) log.error(`SIGHUP: ${reloaded.error}`);
    },
    async retire() {
      await Promise.all([port?.retire(options.drainSpread), certificates?.close()]);
    },
    async stop() {
      await port?.stop();
    },
  };
  return { ok: true, listening };
}

/** Milliseconds between two lines of the log on connections that find no place. */
const FULL_INTERVAL = 60_000;

/** The same events; the log is told of what an operator can do something about. */
function withLog(events: ConnectionEvents, log: Logger): ConnectionEvents {
  let told = Number.NEGATIVE_INFINITY;
  return {
    ...events,
    struck(bound) {
      events.struck(bound);
      const now = systemClock.now();
      if (bound !== "connections" || now - told < FULL_INTERVAL) return;
      told = now;
      log.warn(
        "there are as many connections as --max-connections or the limit of open files allows:" +
          " those that idle longest are closed; raise the limit (ulimit -n, LimitNOFILE=)",
      );
    },
    handshakeFailed(reason) {
      events.handshakeFailed(reason);
      log.debug("a TLS handshake failed", { reason });
    },
  };
}

/** Open files that are kept free of connections: logs, journals, the link, queues, and the files that SIGHUP reads. */
const LEAST_RESERVE = 48;
const MOST_RESERVE = 512;

/** Connections where nobody says how many files may be open. */
const UNLIMITED = 100_000;

/** How many connections a limit of open files leaves. */
export function connectionsBy(limit: number | undefined): number {
  if (limit === undefined) return UNLIMITED;
  const reserve = Math.min(MOST_RESERVE, Math.max(LEAST_RESERVE, Math.ceil(limit / 10)));
  return Math.max(1, limit - reserve);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
