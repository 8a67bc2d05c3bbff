/** One HTTP request to the certificate authority, with limits in time and size. */

import { getCACertificates } from "node:tls";

import { parseProblem } from "./problem.ts";

/** What all requests of an order have in common. */
export interface AuthorityAccess {
  /** Root certificates (PEM) that are trusted besides the usual ones; undefined: only those. */
  readonly ca: string | undefined;
  /** Ends the requests under way. */
  readonly signal: AbortSignal;
}

/** What is asked. With a body it is a POST, and its redirects are not followed: the body is signed for one URL. */
export interface AuthorityRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A whole response of any status. */
export interface AuthorityReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The authority refused, failed, sent nonsense, or could not be reached. The message is one line. */
export class AuthorityError extends Error {
  override readonly name = "AuthorityError";
  /**
   * `unreachable`, or what follows `urn:ietf:params:acme:error:` in its response, such as `rateLimited`; empty if the
   * response is no problem document.
   */
  readonly type: string;
  /** Seconds to wait before the next attempt, as the authority asks for; or 0. */
  readonly retryAfter: number;

  constructor(message: string, type: string, retryAfter = 0) {
    super(message);
    this.type = type;
    this.retryAfter = retryAfter;
  }
}

/** Milliseconds for a request and its whole response. */
const REQUEST_TIMEOUT = 30_000;
/** Bytes of a response; a certificate chain of a hundred names has about 10,000. */
const MAX_RESPONSE = 1_000_000;

/**
 * Sends the request. Rejects with an `AuthorityError` of type `unreachable` if no whole response arrives. The runtime's
 * `fetch` uses the proxies of HTTPS_PROXY and NO_PROXY.
 */
export async function requestAuthority(
  url: string,
  { method, headers, body }: AuthorityRequest,
  { ca, signal }: AuthorityAccess,
): Promise<AuthorityReply> {
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, "User-Agent": "snowflake-broker" },
      ...(body === undefined ? {} : { body }),
      redirect: body === undefined ? "follow" : "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT)]),
      ...(ca === undefined ? {} : { tls: { ca: [...getCACertificates("default"), ca] } }),
    });
    const text = await readBounded(response);
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    const { host } = new URL(url);
    const why = error instanceof Error ? error.message : String(error);
    throw new AuthorityError(`no answer from ${host}: ${why}`, "unreachable");
  }
}

/** Whether the authority did what it was asked for. */
export function isSuccess({ status }: AuthorityReply): boolean {
  return status >= 200 && status < 300;
}

/** Why the authority did not do what it was asked for. */
export function decodeRefusal({ status, headers, text }: AuthorityReply): AuthorityError {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined;
  }
  const problem = parseProblem(document);
  const message = problem.text || `the certificate authority answered with status ${status}`;
  return new AuthorityError(message, problem.type, parseRetryAfter(headers));
}

/** Seconds of the header Retry-After, which can be a date, too; 0 for anything else. */
export function parseRetryAfter(headers: Headers): number {
  const header = headers.get("retry-after");
  if (header === null) return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_RESPONSE) throw new Error(`it is longer than ${MAX_RESPONSE} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
