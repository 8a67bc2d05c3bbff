/** Getting a certificate from a certificate authority by ACME (RFC 8555), host names proved over HTTP-01. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Logger } from "../../log/logger.ts";
import type { TlsFiles } from "../certificate.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { AcmeClient, type OrderSnapshot } from "./client.ts";
import type { AcmeHostnames } from "./hostnames.ts";
import { toJwk } from "./jws.ts";
import { AuthorityError } from "./request.ts";

/** Issues certificates. One order at a time. */
export interface CertificateAuthority {
  /**
   * Orders one certificate for all the names, with a new key. Rejects with a message of one line, as an
   * `AuthorityError` if the authority refused or failed. Leaves no challenge behind.
   */
  issue(hostnames: AcmeHostnames, signal: AbortSignal): Promise<TlsFiles>;
}

/** Where the account's private key (PEM) is kept. Methods may throw. */
export interface AccountKeyStore {
  readAccountKey(): string | undefined;
  writeAccountKey(key: string): void;
}

/** What an `AcmeAuthority` needs. */
export interface AcmeAuthorityParts {
  /** URL of the authority's directory. */
  readonly directory: string;
  /** Root certificates (PEM) to trust for that URL besides the usual ones. */
  readonly ca: string | undefined;
  readonly email: string | undefined;
  /** Undefined: the account is forgotten when the process ends. */
  readonly accountKeys: AccountKeyStore | undefined;
  /** What HTTP-01 requests are answered with, by token. An entry exists only while its order needs it. */
  readonly challenges: Map<string, string>;
  readonly log: Logger;
  /** Milliseconds between two looks at an order; default `LOOK_AGAIN`. For tests. */
  readonly lookAgain?: number;
  /** Milliseconds for one order; default `ORDER_TIMEOUT`. For tests. */
  readonly orderTimeout?: number;
}

/** Milliseconds between two looks at an order, if its authority doesn't ask for more with Retry-After. */
const LOOK_AGAIN = 2_000;
/** How many times `LOOK_AGAIN` an order may stay in one status: three minutes. */
const MAX_LOOKS = 90;
/** Milliseconds from the first request of an order to its certificate: two waits of three minutes, and the requests. */
const ORDER_TIMEOUT = 600_000;
/** An error names what is wrong with at most so many host names. */
const MAX_REASONS = 5;

/** Issues certificates by ACME. Every order ends within `ORDER_TIMEOUT`. */
export class AcmeAuthority implements CertificateAuthority {
  readonly #parts: AcmeAuthorityParts;
  #accountKey: KeyObject | undefined;

  constructor(parts: AcmeAuthorityParts) {
    this.#parts = parts;
  }

  async issue(hostnames: AcmeHostnames, signal: AbortSignal): Promise<TlsFiles> {
    const limit = this.#parts.orderTimeout ?? ORDER_TIMEOUT;
    const deadline = AbortSignal.timeout(limit);
    try {
      return await this.#order(hostnames, AbortSignal.any([signal, deadline]));
    } catch (error) {
      if (!deadline.aborted || signal.aborted) throw error;
      const message = `the certificate authority did not finish the order in ${limit / 1000} s`;
      throw new AuthorityError(message, "");
    }
  }

  async #order(hostnames: AcmeHostnames, signal: AbortSignal): Promise<TlsFiles> {
    const client = await this.#logIn(signal);
    const order = await client.createOrder(hostnames);
    const ready = await this.#prove(order, client, signal);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const request = createCertificateRequest(hostnames, privateKey);
    const finalized = await client.finalize(ready, request);
    const { certificate } = await this.#reach("valid", finalized, client, signal);
    if (certificate === undefined) throw new Error("a valid order has a certificate");
    return { cert: await client.readChain(certificate), key: formatEcKey(privateKey) };
  }

  async #logIn(signal: AbortSignal): Promise<AcmeClient> {
    const { directory, ca, email, log } = this.#parts;
    const key = (this.#accountKey ??= this.#openAccountKey());
    const client = await AcmeClient.open(directory, key, { ca, signal });
    if (await client.logIn(email)) {
      log.info("ACME account made, and the certificate authority's terms of service agreed to", {
        terms: client.terms ?? "none",
      });
    }
    return client;
  }

  /** The stored key, or a new one where there is none or none that can be used. */
  #openAccountKey(): KeyObject {
    const { accountKeys, log } = this.#parts;
    try {
      const stored = accountKeys?.readAccountKey();
      if (stored !== undefined) return parseAccountKey(stored);
    } catch (error) {
      log.warn("the ACME account's key can't be used: a new account is made", {
        error: String(error),
      });
    }
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    try {
      accountKeys?.writeAccountKey(formatEcKey(privateKey));
    } catch (error) {
      log.warn("the ACME account's key can't be kept", { error: String(error) });
    }
    return privateKey;
  }

  /** Answers the order's challenges until it is ready. */
  async #prove(
    order: OrderSnapshot,
    client: AcmeClient,
    signal: AbortSignal,
  ): Promise<OrderSnapshot> {
    const { challenges } = this.#parts;
    const tokens: string[] = [];
    try {
      for (const url of order.authorizations) {
        const { hostname, status, challenge } = await client.readAuthorization(url);
        // An authority may remember what was proved for an earlier order.
        if (status === "valid") continue;
        if (status !== "pending") throw await refusalOf(order, client);
        if (challenge === undefined) {
          throw new AuthorityError(`${hostname} can't be proved over HTTP-01`, "");
        }
        tokens.push(challenge.token);
        challenges.set(challenge.token, client.answerTo(challenge));
        await client.submitChallenge(challenge);
      }
      return await this.#reach("ready", await client.readOrder(order.url), client, signal);
    } finally {
      for (const token of tokens) challenges.delete(token);
    }
  }

  /** Waits until the order has the status, and returns it as it is then. */
  async #reach(
    status: "ready" | "valid",
    order: OrderSnapshot,
    client: AcmeClient,
    signal: AbortSignal,
  ): Promise<OrderSnapshot> {
    const lookAgain = this.#parts.lookAgain ?? LOOK_AGAIN;
    let left = lookAgain * MAX_LOOKS;
    let snapshot = order;
    while (snapshot.status !== status) {
      if (snapshot.status === "invalid") throw await refusalOf(snapshot, client);
      if (left <= 0) {
        const message = "the certificate authority leaves the order waiting";
        throw new AuthorityError(message, "", snapshot.retryAfter);
      }
      const wait = Math.min(Math.max(lookAgain, snapshot.retryAfter * 1000), left);
      left -= wait;
      await sleep(wait, undefined, { signal });
      snapshot = await client.readOrder(order.url);
    }
    return snapshot;
  }
}

/** Why an order is invalid: what the authority found wrong with each host name, or with the order. */
async function refusalOf(order: OrderSnapshot, client: AcmeClient): Promise<AuthorityError> {
  const reasons: string[] = [];
  let type = "";
  for (const url of order.authorizations) {
    if (reasons.length >= MAX_REASONS) break;
    const { hostname, problems } = await client.readAuthorization(url);
    for (const problem of problems) {
      reasons.push(`${hostname}: ${problem.text}`);
      type = problem.type;
    }
  }
  if (reasons.length === 0) reasons.push(order.problem.text || "the order is invalid");
  return new AuthorityError(reasons.slice(0, MAX_REASONS).join("; "), type || order.problem.type);
}

/** Throws if it is no private key on the curve P-256, PEM. */
function parseAccountKey(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  toJwk(key);
  return key;
}

/** The PEM form that Go's autocert writes. */
function formatEcKey(key: KeyObject): string {
  return key.export({ type: "sec1", format: "pem" });
}
