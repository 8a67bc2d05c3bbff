/** Certificates for tests, made by openssl. */

import { join } from "node:path";

import type { TlsFiles } from "../../src/tls/certificate.ts";
import { type Certificate, parseCertificate } from "../../src/tls/certificate.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";

export interface MadeCertificateOptions {
  /** Days that it is good for, from now on. */
  readonly days?: number;
  /** What openssl calls the kind of key. */
  readonly key?: readonly string[];
  readonly flags?: readonly string[];
}

const P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/** A self-signed certificate for the host names with a new key. */
export function makeTlsFiles(
  hostnames: readonly string[],
  { days = 90, key = P256, flags = [] }: MadeCertificateOptions = {},
): TlsFiles {
  using directory = temporaryDirectory();
  const cert = join(directory.path, "cert.pem");
  const keyFile = join(directory.path, "key.pem");
  const names = hostnames.map((hostname) => `DNS:${hostname}`).join(",");
  openssl(
    ...["req", "-x509", ...key, "-nodes", "-days", String(days), "-out", cert, "-keyout", keyFile],
    ...["-subj", "/CN=made for a test", "-addext", `subjectAltName=${names}`, ...flags],
  );
  return { cert: openssl("x509", "-in", cert), key: openssl("pkey", "-in", keyFile) };
}

/** The same, read. */
export function makeCertificate(
  hostnames: readonly string[],
  options?: MadeCertificateOptions,
): Certificate {
  const parsed = parseCertificate(makeTlsFiles(hostnames, options));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.certificate;
}

/** Runs it, and returns its standard output. */
function openssl(...args: readonly string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(["openssl", ...args]);
  if (!success) throw new Error(`openssl failed: ${stderr.toString()}`);
  return stdout.toString();
}
