/** A certificate chain with its private key, and what an operator wants to know of it. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

/** Certificate chain and private key, PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A chain and a key that belong together and that the TLS library can use. Times are ms since 1970. */
export interface Certificate {
  readonly tls: TlsFiles;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Hexadecimal, upper case. */
  readonly serialNumber: string;
  /** Whether its subject alternative names stand for this host name. */
  readonly covers: (hostname: string) => boolean;
}

export type ParsedCertificate =
  | { readonly ok: true; readonly certificate: Certificate }
  /** `part`: which of the two is to blame. */
  | { readonly ok: false; readonly part: "cert" | "key" | "pair"; readonly error: string };

/** Bits of the shortest RSA key. With 512 no handshake succeeds here, and peers in Go refuse all below 1024. */
const SHORTEST_RSA = 1024;

/** Reads a chain, the certificate itself first, and an unencrypted private key (both PEM). */
export function parseCertificate(tls: TlsFiles): ParsedCertificate {
  let leaf: X509Certificate;
  let key: ReturnType<typeof createPrivateKey>;
  try {
    leaf = new X509Certificate(tls.cert);
  } catch (error) {
    return { ok: false, part: "cert", error: `the certificate can't be read: ${reasonOf(error)}` };
  }
  try {
    key = createPrivateKey(tls.key);
  } catch (error) {
    return { ok: false, part: "key", error: `the private key can't be read: ${reasonOf(error)}` };
  }
  const rsaBits = key.asymmetricKeyDetails?.modulusLength;
  if (rsaBits !== undefined && rsaBits < SHORTEST_RSA) {
    return {
      ok: false,
      part: "key",
      error: `peers refuse an RSA key of ${rsaBits} bits: make one of 2048, or a P-256 key`,
    };
  }
  if (!leaf.checkPrivateKey(key)) {
    return {
      ok: false,
      part: "pair",
      error: "the private key is not that of the certificate, the first of its file",
    };
  }
  try {
    // Reads the rest of the chain, too.
    createSecureContext({ cert: tls.cert, key: tls.key });
  } catch (error) {
    return {
      ok: false,
      part: "cert",
      error: `the certificate chain can't be used: ${reasonOf(error)}`,
    };
  }
  return {
    ok: true,
    certificate: {
      tls: { cert: tls.cert, key: tls.key },
      notBefore: leaf.validFromDate.getTime(),
      notAfter: leaf.validToDate.getTime(),
      serialNumber: leaf.serialNumber,
      covers: (hostname) => leaf.checkHost(hostname, { subject: "never" }) !== undefined,
    },
  };
}

/** The part of a TLS library's error that is for people: what stands after the last colon. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .slice(message.lastIndexOf(":") + 1)
    .replaceAll("_", " ")
    .trim()
    .toLowerCase();
}
