/** PEM files that an operator has named, with errors that say which file it is and what can be done about it. */

import { withoutByteOrderMark } from "../messages/utf8.ts";
import { explainFileError, readRegularFile } from "../system/named-file.ts";

/** What a file is read for. */
export type PemContent = "certificate" | "private key";

export type ReadPem =
  | { readonly ok: true; readonly text: string }
  /** `error`: one line that begins with the option and the path. */
  | { readonly ok: false; readonly error: string };

/** Reads the file that an option such as `--cert` names; one that can't hold what is wanted is an error. */
export function readPemFile(option: string, path: string, wanted: PemContent): ReadPem {
  const refuse = (why: string): ReadPem => ({ ok: false, error: `${option} ${path}: ${why}` });
  let bytes: Buffer;
  try {
    bytes = readRegularFile(path);
  } catch (error) {
    return refuse(explainFileError(error, "read"));
  }
  const text = withoutByteOrderMark(bytes.toString());
  const why = whyUnfit(text, wanted, bytes[0] === DER_SEQUENCE);
  return why === undefined ? { ok: true, text } : refuse(why);
}

/** The first byte of everything in DER that is mistaken for PEM: certificates, keys and PKCS #12. */
const DER_SEQUENCE = 0x30;

/** What stands against using the text; undefined: nothing that can be seen from outside. */
function whyUnfit(text: string, wanted: PemContent, isDer: boolean): string | undefined {
  if (text.trim() === "") return "it is empty";
  const labels = Array.from(text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g), ([, label]) => label);
  const command = wanted === "certificate" ? "x509" : "pkey";
  if (labels.length === 0) {
    return isDer
      ? `it is binary and has to be PEM: openssl ${command} -in FILE -out FILE.pem makes it so`
      : `it is no PEM file with a ${wanted}: no line begins with -----BEGIN`;
  }
  const hasCertificate = labels.some((label) => /^(X509 |TRUSTED )?CERTIFICATE$/.test(label ?? ""));
  const key = labels.find((label) => label?.endsWith("PRIVATE KEY"));
  if (wanted === "certificate") {
    if (hasCertificate) return undefined;
    if (key !== undefined) return "it holds a private key and no certificate: that is for --key";
    return `it holds no certificate but ${labels[0]}`;
  }
  if (key === "ENCRYPTED PRIVATE KEY" || /^Proc-Type: 4,ENCRYPTED\r?$/m.test(text)) {
    return "the key has a passphrase, which nobody is asked for: openssl pkey -in FILE -out NEWFILE takes it off";
  }
  if (key !== undefined) return undefined;
  if (hasCertificate) return "it holds a certificate and no private key: that is for --cert";
  return `it holds no private key but ${labels[0]}`;
}
