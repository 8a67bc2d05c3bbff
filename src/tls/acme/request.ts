/**
 * How the ACME library reaches the certificate authority. It calls the global `fetch`, says nothing of what the
 * authority objects to, and waits for ever; there is no way to give it a `fetch` of our own. So the global one is
 * replaced by one that asks on whose behalf it is called: for the library it trusts the operator's root certificates,
 * has time limits and bounds, and rejects with the authority's own words; for everybody else it is what it was.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { getCACertificates } from "node:tls";

import { parseProblem } from "./problem.ts";

export interface AcmeFetchOptions {
  /** Root certificates (PEM) that are trusted besides the usual ones; undefined: only those. */
  readonly ca: string | undefined;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** What the authority has refused or could not do, or why it could not be asked. The message is one line. */
export class AuthorityError extends Error {
  override readonly name = "AuthorityError";
  /**
   * `unreachable`, or what follows `urn:ietf:params:acme:error:` in its answer, such as `rateLimited`; empty: the
   * answer is no problem document.
   */
  readonly type: string;
  /** Seconds that the authority wants to be left alone for, or 0. */
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

const calls = new AsyncLocalStorage<AcmeFetchOptions>();
const plainFetch = globalThis.fetch;
let isInstalled = false;

/** Runs `body` so that every `fetch` of it, however deep down, is an ACME request as described above. */
export function withAcmeFetch<T>(options: AcmeFetchOptions, body: () => Promise<T>): Promise<T> {
  if (!isInstalled) globalThis.fetch = acmeAwareFetch;
  isInstalled = true;
  return calls.run(options, body);
}

const acmeAwareFetch: typeof fetch = Object.assign(
  (input: string | URL | Request, init?: BunFetchRequestInit) => {
    const options = calls.getStore();
    return options === undefined ? plainFetch(input, init) : acmeFetch(options, input, init);
  },
  { preconnect: plainFetch.preconnect },
);

async function acmeFetch(
  { ca, signal }: AcmeFetchOptions,
  input: string | URL | Request,
  init: BunFetchRequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("User-Agent", "snowflake-broker");
  let response: Response;
  let body: Uint8Array<ArrayBuffer>;
  try {
    response = await plainFetch(input, {
      ...init,
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT)]),
      ...(ca === undefined ? {} : { tls: { ca: [...getCACertificates("default"), ca] } }),
    });
    body = await readBounded(response);
  } catch (error) {
    const { host } = new URL(input instanceof Request ? input.url : input);
    const why = error instanceof Error ? error.message : String(error);
    throw new AuthorityError(`no answer from ${host}: ${why}`, "unreachable");
  }
  const { ok, status, headers: responseHeaders } = response;
  if (!ok) {
    const refusal = parseRefusal(status, responseHeaders, body);
    // The library makes the request again with the nonce that came with this response.
    if (refusal.type !== "badNonce") throw refusal;
  }
  return new Response(status === 204 ? null : body, { status, headers: responseHeaders });
}

async function readBounded({ body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_RESPONSE) throw new Error(`it is longer than ${MAX_RESPONSE} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function parseRefusal(status: number, headers: Headers, body: Uint8Array): AuthorityError {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(body));
  } catch {
    document = undefined;
  }
  const { type, text } = parseProblem(document);
  const message = text === "" ? `the certificate authority answered with status ${status}` : text;
  return new AuthorityError(message, type, parseRetryAfter(headers.get("retry-after")));
}

/** Seconds; a date is read, too. Anything else is 0. */
function parseRetryAfter(header: string | null): number {
  if (header === null) return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}
