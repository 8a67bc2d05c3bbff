/** Signing requests of ACME: JSON Web Signatures (RFC 7515) with ES256 (RFC 7518), and what a key looks like there. */

import { createHash, createPublicKey, type KeyObject, sign } from "node:crypto";

/** A P-256 public key (RFC 7517). The order of the members is the one that its thumbprint needs. */
export interface EcJwk {
  readonly crv: "P-256";
  readonly kty: "EC";
  /** Both coordinates: 32 bytes, base64url. */
  readonly x: string;
  readonly y: string;
}

/** The flattened JSON form (RFC 7515, 7.2.2). All members are base64url. */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** The public half of a private key. Throws if its curve is not P-256. */
export function toJwk(key: KeyObject): EcJwk {
  const { crv, x, y } = createPublicKey(key).export({ format: "jwk" });
  if (crv !== "P-256" || x === undefined || y === undefined) {
    throw new Error("it is not a P-256 key");
  }
  return { crv, kty: "EC", x, y };
}

/** Signs with a private key on the curve P-256. `header`: what the protected header has besides `alg`. */
export function signJws(
  key: KeyObject,
  header: Readonly<Record<string, unknown>>,
  payload: string,
): Jws {
  const encodedHeader = encodeBase64Url(JSON.stringify({ alg: "ES256", ...header }));
  const encodedPayload = encodeBase64Url(payload);
  const signature = sign("sha256", Buffer.from(`${encodedHeader}.${encodedPayload}`), {
    key,
    dsaEncoding: "ieee-p1363",
  });
  return {
    protected: encodedHeader,
    payload: encodedPayload,
    signature: signature.toString("base64url"),
  };
}

/** The content that answers an HTTP-01 request for the token (RFC 8555, 8.1): it names the account's key. */
export function keyAuthorization(token: string, jwk: EcJwk): string {
  return `${token}.${thumbprint(jwk)}`;
}

/** The key's SHA-256 thumbprint (RFC 7638), base64url. */
export function thumbprint({ crv, kty, x, y }: EcJwk): string {
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}

function encodeBase64Url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
