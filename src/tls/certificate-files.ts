/** Certificates from files. */

import { readFileSync } from "node:fs";

import type { TlsFiles } from "../frontend/http/server.ts";
import type { Transport } from "../options.ts";

export type ReadCertificate =
  /** `tls` is undefined where plain HTTP was asked for. */
  | { readonly ok: true; readonly tls: TlsFiles | undefined }
  | { readonly ok: false; readonly error: string };

/** Reads the certificate chain and the private key (PEM), if TLS was asked for. */
export function readCertificate(transport: Transport): ReadCertificate {
  if (transport.kind === "plain") return { ok: true, tls: undefined };
  try {
    const cert = readFileSync(transport.cert, "utf8");
    const key = readFileSync(transport.key, "utf8");
    return { ok: true, tls: { cert, key } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, error: `certificate: ${reason}` };
  }
}
