import { join } from "node:path";

import { temporaryDirectory } from "./temporary-directory.ts";

/** A certificate for 127.0.0.1 by an authority that nobody knows. All are PEM files, gone when disposed of. */
export interface TestCa extends Disposable {
  readonly authorityFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export function createTestCa(): TestCa {
  const directory = temporaryDirectory();
  const authorityFile = join(directory.path, "authority.pem");
  const authorityKey = join(directory.path, "authority-key.pem");
  const certFile = join(directory.path, "cert.pem");
  const keyFile = join(directory.path, "key.pem");
  createCertificate("/CN=interop authority", authorityFile, authorityKey, []);
  createCertificate("/CN=interop broker", certFile, keyFile, [
    ...["-CA", authorityFile, "-CAkey", authorityKey],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"],
  ]);
  return { authorityFile, certFile, keyFile, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

/** Makes a P-256 key and a certificate valid for two days, signed by that key unless the flags say otherwise. */
function createCertificate(
  subject: string,
  certFile: string,
  keyFile: string,
  flags: readonly string[],
): void {
  const { success, stderr } = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-nodes", "-days", "2", "-subj", subject, "-out", certFile, "-keyout", keyFile, ...flags],
  ]);
  if (!success) throw new Error(`openssl failed: ${stderr.toString()}`);
}
