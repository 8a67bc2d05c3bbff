/**
 * How a worker has its certificates: its parent writes each as a line to the worker's standard input, so that no key
 * lies where somebody else could find it.
 */

import type { Logger } from "../log/logger.ts";
import { isObject } from "./acme/problem.ts";
import {
  type CertificateSource,
  CurrentCertificate,
  type ReloadedCertificate,
} from "./certificate-source.ts";
import type { TlsFiles } from "./certificate.ts";
import { type Certificate, parseCertificate, type ParsedCertificate } from "./certificate.ts";

/** UTF-16 units of a line; a chain with its key has about 10,000. */
const MAX_LINE = 1_000_000;

/** A line, without its line feed. */
export function formatCertificateLine({ cert, key }: TlsFiles): string {
  return JSON.stringify({ cert, key });
}

function parseCertificateLine(line: string): ParsedCertificate {
  let tls: unknown;
  try {
    tls = JSON.parse(line);
  } catch {
    tls = undefined;
  }
  if (!isObject(tls) || typeof tls["cert"] !== "string" || typeof tls["key"] !== "string") {
    return { ok: false, part: "pair", error: "the line is no certificate and key" };
  }
  return parseCertificate({ cert: tls["cert"], key: tls["key"] });
}

export interface CertificatePipeParts {
  /** Must not flow before there is a source that reads it. What its end means is for others to say. */
  readonly input: NodeJS.ReadableStream;
  readonly log: Logger;
}

/** Has no certificate until the first line has come. A line that is none leaves the one before in use. */
export class CertificatePipe implements CertificateSource {
  readonly #parts: CertificatePipeParts;
  readonly #current = new CurrentCertificate(undefined);
  /** What has come of the line that is not complete. */
  #begun = "";
  readonly #onData = (chunk: string | Buffer): void => this.#take(chunk.toString());

  constructor(parts: CertificatePipeParts) {
    this.#parts = parts;
    parts.input.setEncoding("utf8").on("data", this.#onData);
  }

  current(): Certificate | undefined {
    return this.#current.get();
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    return this.#current.onChange(listener);
  }

  /** There is nothing to look at: certificates come when the parent has them. */
  reload(): ReloadedCertificate {
    return { ok: true };
  }

  stop(): void {
    this.#parts.input.off("data", this.#onData);
  }

  #take(chunk: string): void {
    const lines = (this.#begun + chunk).split("\n");
    this.#begun = lines.pop() ?? "";
    for (const line of lines) this.#replace(parseCertificateLine(line));
    if (this.#begun.length <= MAX_LINE) return;
    this.#begun = "";
    this.stop();
    this.#parts.log.error("standard input is read no more: its line has no end");
  }

  #replace(parsed: ParsedCertificate): void {
    if (parsed.ok) this.#current.replace(parsed.certificate);
    else this.#parts.log.error(`certificate on standard input: ${parsed.error}`);
  }
}
