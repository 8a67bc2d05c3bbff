/** The half of the program that speaks to the world: the HTTP port, with its certificate. */

import type { ListeningOptions } from "../cli/options.ts";
import { claimPort, type IsMate } from "../frontend/http/port-claim.ts";
import type { ExpositionSource } from "../frontend/http/prometheus-route.ts";
import { RotatingServer } from "../frontend/http/rotating-server.ts";
import { createRoutes } from "../frontend/http/routes.ts";
import { HttpServer } from "../frontend/http/server.ts";
import type { Destination } from "../frontend/rendezvous.ts";
import type { Logger } from "../log/logger.ts";
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
   * Asks every peer to close its connection, and no authority for certificates any more. The port stays open: a proxy
   * may have to connect to bring the answer for a client in flight.
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
  let server: HttpServer | RotatingServer | undefined;
  /** Listens, with a certificate or without one; then takes one certificate after the other. */
  const serve = (certificate: Certificate | undefined) => {
    if (certificate !== undefined && server instanceof RotatingServer) {
      server.replaceCertificate(certificate.tls);
      certificateEvents.served(certificate);
      return;
    }
    const serverParts = {
      ...options.addr,
      handler: createRoutes({ ...destination, ...options, prometheus: parts.prometheus }),
      onBug: (error: unknown) => log.error("a request failed", { error: String(error) }),
    };
    server =
      certificate === undefined
        ? claimPort({ protocol: "tcp", ...options.addr }, isMate, () => {
            return new HttpServer({
              ...serverParts,
              sharePort: isMate !== undefined,
              tls: undefined,
            });
          })
        : new RotatingServer({ ...serverParts, isMate, tls: certificate.tls, http3 });
    if (certificate !== undefined) certificateEvents.served(certificate);
    log.info(`listening on ${server.url}`);
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
      if (server !== undefined) {
        log.error("the new certificate is not in use", { error: String(error) });
        return;
      }
      log.error(`cannot listen: ${messageOf(error)}`);
      parts.onLost();
    }
  });

  const listening: Listening = {
    get url() {
      return server?.url;
    },
    reload() {
      const reloaded = certificates?.source.reload();
      if (reloaded?.ok === false) log.error(`SIGHUP: ${reloaded.error}`);
    },
    async retire() {
      server?.closeConnections();
      await certificates?.close();
    },
    async stop() {
      await server?.stop();
    },
  };
  return { ok: true, listening };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
