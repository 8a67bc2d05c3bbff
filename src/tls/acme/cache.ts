/**
 * Keys and certificates on disk, in the files of Go's autocert, so that whoever changes from the Go broker to this one
 * or back keeps them. `<host>` holds the private key and the chain of the certificate whose first name is that host,
 * `acme_account+key` the account's private key.
 */

import { randomUUID } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { readRegularFile } from "../../system/named-file.ts";
import type { TlsFiles } from "../certificate.ts";

/** Host names have no plus sign. */
const ACCOUNT_KEY = "acme_account+key";

export type OpenedCache =
  { readonly ok: true; readonly cache: AcmeCache } | { readonly ok: false; readonly error: string };

/** All methods throw what the file system throws. A file that is missing is no error; one that is no file is. */
export class AcmeCache {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory, for its owner alone, if it is not there. */
  static open(directory: string): OpenedCache {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    return { ok: true, cache: new AcmeCache(directory) };
  }

  /** The account's private key, PEM. */
  readAccountKey(): string | undefined {
    return this.#read(ACCOUNT_KEY);
  }

  writeAccountKey(key: string): void {
    this.#write(ACCOUNT_KEY, key);
  }

  /** The key and the chain of a host as they are in its file, which is the first of the certificate's names. */
  readCertificate(hostname: string): TlsFiles | undefined {
    const text = this.#read(hostname);
    if (text === undefined) return undefined;
    const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g) ?? [];
    const isKey = (block: string) => block.endsWith("PRIVATE KEY-----");
    return {
      key: `${blocks.filter(isKey).join("\n")}\n`,
      cert: `${blocks.filter((block) => !isKey(block)).join("\n")}\n`,
    };
  }

  writeCertificate(hostname: string, { cert, key }: TlsFiles): void {
    this.#write(hostname, `${key.trimEnd()}\n${cert.trimEnd()}\n`);
  }

  #read(name: string): string | undefined {
    try {
      return readRegularFile(join(this.#directory, name)).toString();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** The file is either the old one or the new one, whatever happens. */
  #write(name: string, text: string): void {
    const path = join(this.#directory, name);
    const unfinished = `${path}.${randomUUID()}`;
    try {
      const file = openSync(unfinished, "wx", 0o600);
      try {
        writeFileSync(file, text);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(unfinished, path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  }
}
