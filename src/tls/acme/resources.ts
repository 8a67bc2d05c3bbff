/** What a certificate authority sends (RFC 8555, section 7.1), decoded from responses that may hold anything. */

import { type AcmeProblem, isObject, parseProblem } from "./problem.ts";
import { AuthorityError } from "./request.ts";

/** Where to send which request. All URLs of the authority begin with https:// and are kept as it wrote them. */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** Where the terms of service are; undefined: there are none. */
  readonly terms: string | undefined;
}

/** How far an order is. */
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** A request for one certificate, as the authority sees it. */
export interface Order {
  readonly status: OrderStatus;
  /** URLs of what has to be proved. */
  readonly authorizations: readonly string[];
  /** Where the certificate request goes. */
  readonly finalize: string;
  /** Where the certificate is, once the status is `valid`. */
  readonly certificate: string | undefined;
  /** Why the order failed. */
  readonly problem: AcmeProblem;
}

/** What has to be proved for one host name. */
export interface Authorization {
  readonly hostname: string;
  readonly status: AuthorizationStatus;
  /** The HTTP-01 challenge; undefined: the authority offers none. */
  readonly challenge: Challenge | undefined;
  /** Why challenges failed. */
  readonly problems: readonly AcmeProblem[];
}

/** How far a proof is. */
export type AuthorizationStatus = (typeof AUTHORIZATION_STATUSES)[number];

/** An HTTP-01 challenge (RFC 8555, 8.3). */
export interface Challenge {
  /** Where to say that the authority can look. */
  readonly url: string;
  /** The last part of the path that it will ask for; base64url. */
  readonly token: string;
}

/** RFC 8555, 7.1.6. */
const ORDER_STATUSES = ["pending", "ready", "processing", "valid", "invalid"] as const;
const AUTHORIZATION_STATUSES = [
  "pending",
  "valid",
  "invalid",
  "deactivated",
  "expired",
  "revoked",
] as const;

/** What an error message may quote as a host name. */
const HOSTNAME = /^[\w.-]{1,253}$/;
/** Characters of the longest token and of the longest URL that are accepted; those in use have about 100. */
const LONGEST = 2_000;

type JsonObject = Readonly<Record<string, unknown>>;

/** Throws, as the other functions here do, an `AuthorityError` that names what is wrong. `url`: the directory's own. */
export function decodeDirectory(text: string, url: string): Directory {
  try {
    const directory = decodeObject(text, "directory");
    const { meta } = directory;
    const terms = isObject(meta) ? meta["termsOfService"] : undefined;
    return {
      newNonce: urlOf(directory, "newNonce", "directory"),
      newAccount: urlOf(directory, "newAccount", "directory"),
      newOrder: urlOf(directory, "newOrder", "directory"),
      terms: typeof terms === "string" && terms.length <= LONGEST ? terms : undefined,
    };
  } catch {
    throw new AuthorityError(`${url} is no ACME directory`, "");
  }
}

/** The response to a new order, to reading it, and to finalizing it. */
export function decodeOrder(text: string): Order {
  const order = decodeObject(text, "order");
  const status = statusOf(order, ORDER_STATUSES, "order");
  const { authorizations } = order;
  if (!Array.isArray(authorizations)) throw nonsense("order", "has no authorizations");
  return {
    status,
    authorizations: authorizations.map((url: unknown) => checkUrl(url, "authorizations", "order")),
    finalize: urlOf(order, "finalize", "order"),
    certificate: status === "valid" ? urlOf(order, "certificate", "order") : undefined,
    problem: parseProblem(order["error"]),
  };
}

/** The response to reading an authorization. Challenges of other types may be anything. */
export function decodeAuthorization(text: string): Authorization {
  const authorization = decodeObject(text, "authorization");
  const { identifier, challenges } = authorization;
  const hostname = isObject(identifier) ? identifier["value"] : undefined;
  if (typeof hostname !== "string" || !HOSTNAME.test(hostname)) {
    throw nonsense("authorization", "names no host");
  }
  const offered = (Array.isArray(challenges) ? challenges : []).filter(isObject);
  const http = offered.find(({ type }) => type === "http-01");
  return {
    hostname,
    status: statusOf(authorization, AUTHORIZATION_STATUSES, "authorization"),
    challenge: http && { url: urlOf(http, "url", "challenge"), token: tokenOf(http) },
    problems: offered.flatMap(({ error }) => (isObject(error) ? [parseProblem(error)] : [])),
  };
}

/** The certificates of a chain (PEM), without anything else that is in the text. */
export function decodeChain(text: string): string {
  const certificates =
    text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw nonsense("certificate chain", "is no PEM text");
  return `${certificates.join("\n")}\n`;
}

/** The URL in the header Location of a response, which says where the new `what` is. */
export function decodeLocation(headers: Headers, what: string): string {
  return checkUrl(headers.get("location"), "Location", what);
}

function decodeObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isObject(value)) throw nonsense(what, "is no JSON object");
  return value;
}

function urlOf(object: JsonObject, member: string, what: string): string {
  return checkUrl(object[member], member, what);
}

function checkUrl(url: unknown, name: string, what: string): string {
  if (typeof url !== "string" || url.length > LONGEST || URL.parse(url)?.protocol !== "https:") {
    throw nonsense(what, `has no usable URL (${name})`);
  }
  return url;
}

function statusOf<T extends string>(object: JsonObject, known: readonly T[], what: string): T {
  const status = known.find((name) => name === object["status"]);
  if (status === undefined) throw nonsense(what, "has no known status");
  return status;
}

function tokenOf({ token }: JsonObject): string {
  if (typeof token !== "string" || !/^[\w-]+$/.test(token) || token.length > LONGEST) {
    throw nonsense("challenge", "has no token");
  }
  return token;
}

/** `what` of the authority can't be used because of `why`. */
function nonsense(what: string, why: string): AuthorityError {
  return new AuthorityError(`the certificate authority's ${what} ${why}`, "");
}
