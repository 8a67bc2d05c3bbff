/** Getting a certificate from a certificate authority by ACME (RFC 8555), host names proved over HTTP-01. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type AcmeAccount,
  type AcmeAuthorization,
  AcmeClient,
  type AcmeOrder,
  CryptoKeyUtils,
} from "@fishballpkg/acme";

import type { Logger } from "../../log/logger.ts";
import type { TlsFiles } from "../certificate.ts";
import type { AcmeHostnames } from "./hostnames.ts";
import { isObject, parseProblem } from "./problem.ts";
import { AuthorityError, withAcmeFetch } from "./request.ts";

/** Whoever issues certificates. One order at a time. */
export interface CertificateAuthority {
  /**
   * Orders one certificate for all the names, with a new key. Rejects with an `AuthorityError` if the authority is to
   * blame or is not content, in any case with a message of one line, and leaves nothing behind.
   */
  issue(hostnames: AcmeHostnames, signal: AbortSignal): Promise<TlsFiles>;
}

/** Where the account's private key (PEM) is kept. Methods may throw. */
export interface AccountKeyStore {
  readAccountKey(): string | undefined;
  writeAccountKey(key: string): void;
}

export interface AcmeAuthorityParts {
  /** URL of the authority's directory. */
  readonly directory: string;
  /** Root certificates (PEM) to trust for that URL besides the usual ones. */
  readonly ca: string | undefined;
  readonly email: string | undefined;
  /** Undefined: the account is forgotten when the process ends. */
  readonly accountKeys: AccountKeyStore | undefined;
  /** What HTTP-01 requests are answered with, by token. Has an entry only as long as it is wanted. */
  readonly challenges: Map<string, string>;
  readonly log: Logger;
  /** Milliseconds between two looks at an order; `LOOK_AGAIN` unless a test can't wait that long. */
  readonly lookAgain?: number;
}

const LOOK_AGAIN = 2_000;
/** How often an order is looked at before it is given up: after three minutes. */
const MAX_LOOKS = 90;
/** Of so many host names it is told what is wrong with them. */
const MAX_REASONS = 5;

export class AcmeAuthority implements CertificateAuthority {
  readonly #parts: AcmeAuthorityParts;
  #keyPair: CryptoKeyPair | undefined;

  constructor(parts: AcmeAuthorityParts) {
    this.#parts = parts;
  }

  issue(hostnames: AcmeHostnames, signal: AbortSignal): Promise<TlsFiles> {
    return withAcmeFetch({ ca: this.#parts.ca, signal }, async () => {
      const account = await this.#logIn();
      const order = await account.createOrder({ domains: [...hostnames] });
      await this.#proveHostnames(order, signal);
      const { privateKey } = await CryptoKeyUtils.exportKeyPairToPem(await order.finalize());
      await this.#reach("valid", order, signal);
      return { cert: await order.getCertificate(), key: formatEcKey(createPrivateKey(privateKey)) };
    });
  }

  /** Registers the account's key, which does nothing where the authority knows it, and logs in. */
  async #logIn(): Promise<AcmeAccount> {
    const { directory, email, log } = this.#parts;
    const client = await AcmeClient.init(directory);
    if (!isDirectory(client.directory)) {
      throw new AuthorityError(`${directory} is no ACME directory`, "");
    }
    const keyPair = (this.#keyPair ??= await this.#accountKey());
    const { status } = await client.jwsFetch(client.directory.newAccount, {
      privateKey: keyPair.privateKey,
      protected: { jwk: await crypto.subtle.exportKey("jwk", keyPair.publicKey) },
      payload: {
        termsOfServiceAgreed: true,
        contact: email === undefined ? [] : [`mailto:${email}`],
      },
    });
    if (status === 201) {
      log.info("ACME account made, and the certificate authority's terms of service agreed to", {
        terms: client.directory.meta?.termsOfService ?? "none",
      });
    }
    return client.login({ keyPair, keyPairAlgorithm: "ec-p256" });
  }

  /** The stored key, or a new one where there is none or none that can be used. */
  async #accountKey(): Promise<CryptoKeyPair> {
    const { accountKeys, log } = this.#parts;
    try {
      const stored = accountKeys?.readAccountKey();
      if (stored !== undefined) return await importKey(stored);
    } catch (error) {
      log.warn("the ACME account's key can't be used: a new account is made", {
        error: String(error),
      });
    }
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = formatEcKey(privateKey);
    try {
      accountKeys?.writeAccountKey(key);
    } catch (error) {
      log.warn("the ACME account's key can't be kept", { error: String(error) });
    }
    return importKey(key);
  }

  async #proveHostnames(order: AcmeOrder, signal: AbortSignal): Promise<void> {
    const { challenges } = this.#parts;
    const tokens: string[] = [];
    try {
      for (const authorization of order.authorizations) {
        // An authority may remember what was proved for an earlier order.
        if ((await authorization.fetch()).status === "valid") continue;
        const challenge = authorization.findChallenge("http-01");
        if (challenge === undefined) {
          throw new AuthorityError(`${authorization.domain} can't be proved over HTTP-01`, "");
        }
        const { name, content } = await challenge.getHttpResource();
        tokens.push(name);
        challenges.set(name, content);
        await challenge.submit();
      }
      await this.#reach("ready", order, signal);
    } finally {
      for (const token of tokens) challenges.delete(token);
    }
  }

  /** Waits until the order is as far as it should be. */
  async #reach(status: "ready" | "valid", order: AcmeOrder, signal: AbortSignal): Promise<void> {
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const snapshot = await order.fetch();
      if (snapshot.status === status) return;
      if (snapshot.status === "invalid") throw await refusalOf(order);
      await sleep(this.#parts.lookAgain ?? LOOK_AGAIN, undefined, { signal });
    }
    throw new AuthorityError("the certificate authority leaves the order waiting", "");
  }
}

/** Why an order is invalid: what the authority found wrong with each host name. */
async function refusalOf(order: AcmeOrder): Promise<AuthorityError> {
  const reasons: string[] = [];
  let type = "";
  for (const authorization of order.authorizations) {
    for (const problem of await failuresOf(authorization)) {
      reasons.push(`${authorization.domain}: ${problem.text}`);
      type = problem.type;
    }
  }
  const snapshot: unknown = await order.fetch();
  const orderProblem = parseProblem(isObject(snapshot) ? snapshot["error"] : undefined);
  if (reasons.length === 0) reasons.push(orderProblem.text || "the order is invalid");
  return new AuthorityError(reasons.slice(0, MAX_REASONS).join("; "), type || orderProblem.type);
}

/** The library's type of a challenge leaves out why it failed. */
async function failuresOf(authorization: AcmeAuthorization) {
  const { challenges } = await authorization.fetch();
  return challenges.flatMap((challenge: unknown) =>
    isObject(challenge) && challenge["error"] !== undefined
      ? [parseProblem(challenge["error"])]
      : [],
  );
}

function isDirectory(directory: unknown): boolean {
  return (
    isObject(directory) &&
    ["newNonce", "newAccount", "newOrder"].every((name) => URL.canParse(String(directory[name])))
  );
}

function importKey(pem: string): Promise<CryptoKeyPair> {
  const pkcs8 = createPrivateKey(pem).export({ type: "pkcs8", format: "pem" });
  return CryptoKeyUtils.importKeyPairFromPemPrivateKey(pkcs8);
}

/** The PEM form that Go's autocert writes. */
function formatEcKey(key: KeyObject): string {
  return key.export({ type: "sec1", format: "pem" });
}
