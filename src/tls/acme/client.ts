/** The ACME protocol (RFC 8555) as far as the broker needs it: signed requests of one account, for one order. */

import type { KeyObject } from "node:crypto";

import type { AcmeHostnames } from "./hostnames.ts";
import { type EcJwk, keyAuthorization, signJws, toJwk } from "./jws.ts";
import {
  type AuthorityAccess,
  AuthorityError,
  type AuthorityReply,
  type AuthorityRequest,
  decodeRefusal,
  isSuccess,
  parseRetryAfter,
  requestAuthority,
} from "./request.ts";
import {
  type Authorization,
  type Challenge,
  decodeAuthorization,
  decodeChain,
  decodeDirectory,
  decodeLocation,
  decodeOrder,
  type Directory,
  type Order,
} from "./resources.ts";

/** An order at one moment. */
export interface OrderSnapshot extends Order {
  /** Where the order is. */
  readonly url: string;
  /** Seconds to wait before the next look, as the authority asks for; or 0. */
  readonly retryAfter: number;
}

/** How often a request is sent again because its nonce was refused. */
const MAX_REFUSED_NONCES = 5;

/** One request at a time. All methods reject with an `AuthorityError` if the authority doesn't do its part. */
export class AcmeClient {
  readonly #directory: Directory;
  readonly #access: AuthorityAccess;
  readonly #key: KeyObject;
  readonly #jwk: EcJwk;
  /** The account's URL, once there is an account. */
  #account: string | undefined;
  /** For the next request; from the last response. */
  #nonce: string | undefined;

  private constructor(directory: Directory, key: KeyObject, access: AuthorityAccess) {
    this.#directory = directory;
    this.#key = key;
    this.#jwk = toJwk(key);
    this.#access = access;
  }

  /** Reads the directory. `key`: the account's private key, P-256. */
  static async open(
    directory: string,
    key: KeyObject,
    access: AuthorityAccess,
  ): Promise<AcmeClient> {
    const { text } = await succeed(directory, { method: "GET" }, access);
    return new AcmeClient(decodeDirectory(text, directory), key, access);
  }

  /** Where the terms of service are; undefined: there are none. */
  get terms(): string | undefined {
    return this.#directory.terms;
  }

  /**
   * Logs in to the account of the key, and creates it if there is none, with agreement to the terms of service. Returns
   * whether it was created.
   */
  async logIn(email: string | undefined): Promise<boolean> {
    const { status, headers } = await this.#post(this.#directory.newAccount, {
      termsOfServiceAgreed: true,
      contact: email === undefined ? [] : [`mailto:${email}`],
    });
    this.#account = decodeLocation(headers, "account");
    return status === 201;
  }

  /** Orders one certificate for all the names. */
  async createOrder(hostnames: AcmeHostnames): Promise<OrderSnapshot> {
    const identifiers = hostnames.map((value) => ({ type: "dns", value }));
    const reply = await this.#post(this.#directory.newOrder, { identifiers });
    return toSnapshot(decodeLocation(reply.headers, "order"), reply);
  }

  /** The order as it is now. */
  async readOrder(url: string): Promise<OrderSnapshot> {
    return toSnapshot(url, await this.#post(url));
  }

  /** What has to be proved, and how far it is. */
  async readAuthorization(url: string): Promise<Authorization> {
    return decodeAuthorization((await this.#post(url)).text);
  }

  /** What an HTTP-01 request for the challenge's token has to be answered with. */
  answerTo({ token }: Challenge): string {
    return keyAuthorization(token, this.#jwk);
  }

  /** Says that HTTP-01 requests for the challenge are answered from now on. */
  async submitChallenge({ url }: Challenge): Promise<void> {
    await this.#post(url, {});
  }

  /** Sends the certificate request (DER), and returns the order as it is then. */
  async finalize({ url, finalize }: OrderSnapshot, request: Buffer): Promise<OrderSnapshot> {
    return toSnapshot(url, await this.#post(finalize, { csr: request.toString("base64url") }));
  }

  /** The certificate chain (PEM), the certificate itself first. */
  async readChain(url: string): Promise<string> {
    const { text } = await this.#post(url, undefined, "application/pem-certificate-chain");
    return decodeChain(text);
  }

  /** A signed request; without a payload it only reads (POST-as-GET, RFC 8555, 6.3). */
  async #post(url: string, payload?: object, accept = "application/json"): Promise<AuthorityReply> {
    for (let refused = 0; ; refused++) {
      const nonce = this.#nonce ?? (await this.#newNonce());
      const signer = this.#account === undefined ? { jwk: this.#jwk } : { kid: this.#account };
      const text = payload === undefined ? "" : JSON.stringify(payload);
      const request: AuthorityRequest = {
        method: "POST",
        headers: { "Content-Type": "application/jose+json", Accept: accept },
        body: JSON.stringify(signJws(this.#key, { ...signer, nonce, url }, text)),
      };
      const reply = await requestAuthority(url, request, this.#access);
      this.#nonce = nonceOf(reply);
      if (isSuccess(reply)) return reply;
      const refusal = decodeRefusal(reply);
      if (refusal.type !== "badNonce" || refused === MAX_REFUSED_NONCES) throw refusal;
    }
  }

  async #newNonce(): Promise<string> {
    const reply = await succeed(this.#directory.newNonce, { method: "HEAD" }, this.#access);
    const nonce = nonceOf(reply);
    if (nonce !== undefined) return nonce;
    throw new AuthorityError("the certificate authority sends no nonce", "");
  }
}

/** An unsigned request. Rejects if its response is an error. */
async function succeed(
  url: string,
  request: AuthorityRequest,
  access: AuthorityAccess,
): Promise<AuthorityReply> {
  const reply = await requestAuthority(url, request, access);
  if (!isSuccess(reply)) throw decodeRefusal(reply);
  return reply;
}

/** Undefined: the response has none, or one that is not base64url (RFC 8555, 6.5.1). */
function nonceOf({ headers }: AuthorityReply): string | undefined {
  return /^[\w-]+$/.exec(headers.get("replay-nonce") ?? "")?.[0];
}

function toSnapshot(url: string, { text, headers }: AuthorityReply): OrderSnapshot {
  return { ...decodeOrder(text), url, retryAfter: parseRetryAfter(headers) };
}
