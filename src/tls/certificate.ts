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

/** Extended key usages with one of which a certificate is for servers: serverAuth, and any, which peers in Go accept. */
const SERVER_USAGES = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

/** The critical extension of a precertificate (RFC 6962, 3.1) as it begins in DER: its name, and that it is critical. */
const PRECERTIFICATE = Buffer.from("060a2b06010401d6790204030101ff", "hex");

/** Reads a chain, the certificate itself first, and an unencrypted private key (both PEM). */
export function parseCertificate(tls: TlsFiles): ParsedCertificate {
  let leaf: X509Certificate;
  let key: ReturnType<typeof createPrivateKey>;
  try {
    leaf = new X509Certificate(tls.cert);
  } catch (error) {
    return { ok: false, part: "cert", error: `the certificate can't be read: ${reasonOf(error)}` };
  }
  const unfit = whyUnfit(leaf);
  if (unfit !== undefined) return { ok: false, part: "cert", error: unfit };
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

/** Why every peer refuses the certificate, though the TLS library here would serve it. */
function whyUnfit(leaf: X509Certificate): string | undefined {
  // The runtime gives undefined, unlike its types, for a certificate without restriction.
  const usages: readonly string[] | undefined = leaf.keyUsage;
  if (usages !== undefined && !usages.some((usage) => SERVER_USAGES.includes(usage))) {
    return "the certificate is not for servers: get one whose extended key usage has serverAuth";
  }
  if (leaf.raw.includes(PRECERTIFICATE)) {
    return "it is a precertificate, which every peer refuses: use the certificate issued after it";
  }
  return undefined;
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
