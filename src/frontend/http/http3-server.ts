/** HTTP/3 alone, on a UDP port, with a certificate that can be changed while it serves. */

import { Http3, type Http3Parts } from "../../http/http3/http3.ts";
import type { TlsFiles } from "../../tls/certificate.ts";
import { claimPort, type IsMate, refuseStrangers } from "./port-claim.ts";

export interface Http3ServerParts extends Omit<Http3Parts, "sharePort"> {
  /** Which other processes may listen on the port; undefined: none. Its TCP port must have been claimed. */
  readonly isMate?: IsMate | undefined;
}

/** Milliseconds that pending replies are given when the server stops for good. */
const STOP_TIMEOUT = 2_000;

/**
 * Has one server at a time. Two on one port would break each other's connections: the kernel gives a datagram to one
 * of the sockets by the addresses it bears, and with each socket that comes or goes it deals anew, so that connections
 * end up where nobody knows them. Other processes that share the port do that too when they start, stop or change
 * their certificate: their peers then find their connections dead and have to make new ones.
 */
export class Http3Server {
  readonly #parts: Http3ServerParts;
  #server: Http3;
  /** Settles when the last change is through. */
  #changes: Promise<void> = Promise.resolve();
  #stopped = false;

  /** Listens at once. Throws if the port can't be had or the certificate can't be used. */
  constructor(parts: Http3ServerParts) {
    this.#parts = parts;
    this.#server = listen(parts);
  }

  /**
   * Stops, lets pending responses finish for so many milliseconds, and starts with the new certificate. What is pending
   * is answered; who wants a new connection meanwhile gets one only afterwards, if it goes on trying. Resolves when it
   * listens again; rejects if it can't. Changes wait for each other.
   */
  async replaceCertificate(tls: TlsFiles, timeout: number): Promise<void> {
    const change = this.#changes.then(() => this.#change(tls, timeout));
    this.#changes = change.catch(() => undefined);
    return change;
  }

  async #change(tls: TlsFiles, timeout: number): Promise<void> {
    await this.#server.stop(timeout);
    if (!this.#stopped) this.#server = listen({ ...this.#parts, tls });
  }

  /** Stops for good, after pending responses have had a while to finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#server.stop(STOP_TIMEOUT);
    await this.#changes;
  }
}

function listen(parts: Http3ServerParts): Http3 {
  const { hostname, port, isMate } = parts;
  const wanted = { protocol: "udp", hostname, port } as const;
  if (isMate !== undefined) refuseStrangers(wanted, isMate);
  return claimPort(wanted, undefined, () => {
    return new Http3({ ...parts, sharePort: isMate !== undefined });
  });
}
