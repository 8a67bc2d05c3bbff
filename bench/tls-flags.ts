/** Certificates for servers that are measured with TLS. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeTlsFiles } from "../test/tls/made-certificate.ts";

/** The kinds of keys, and what openssl is told to make one. */
const KEYS = {
  p256: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  rsa2048: ["-newkey", "rsa:2048"],
  rsa4096: ["-newkey", "rsa:4096"],
} as const;

export type KeyKind = keyof typeof KEYS;

export const KEY_KINDS: readonly KeyKind[] = ["p256", "rsa2048", "rsa4096"];

/** Flags that name a certificate and its key, whose files are removed when disposed of. */
export interface TlsFlags extends Disposable {
  readonly transport: readonly string[];
}

/** Makes a self-signed certificate. Throws if there is no openssl. */
export function makeTlsFlags(kind: KeyKind): TlsFlags {
  const { cert, key } = makeTlsFiles(["localhost"], { key: KEYS[kind] });
  const directory = mkdtempSync(join(tmpdir(), "tls-"));
  const paths = { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") };
  writeFileSync(paths.cert, cert);
  writeFileSync(paths.key, key, { mode: 0o600 });
  return {
    transport: [`--cert=${paths.cert}`, `--key=${paths.key}`],
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
