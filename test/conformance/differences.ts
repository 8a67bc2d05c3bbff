/**
 * Everything in which our broker may differ from upstream, and why. Whatever is not here has to be the same. An entry
 * that no longer makes a difference fails the suites.
 */

import { answerOfVector, type HttpAnswer, withHeader, withoutHeader } from "./http-answer.ts";
import { TARGET } from "./target.ts";

/** A difference in what can be expected of a broker. */
export interface Difference<T> {
  readonly reason: string;
  readonly ours: T;
  readonly upstream: T;
}

/** What to expect of the broker under test. */
export function expected<T>(difference: Difference<T>): T {
  return TARGET === "upstream" ? difference.upstream : difference.ours;
}

// ---- HTTP: requests of the vectors, by name ----

interface VectorDifference {
  readonly reason: string;
  /** What we answer, made of what upstream answers. */
  readonly ours: (upstream: HttpAnswer) => HttpAnswer;
  /** Takes out of our answer what is never the same twice. */
  readonly normalize?: (answer: HttpAnswer) => HttpAnswer;
}

const OWN_JSON_WORDS: VectorDifference = {
  reason: "JSON that doesn't parse is explained in our own words",
  ours: (upstream) => ({
    ...withHeader(withoutHeader(upstream, "content-length"), "content-length: 49"),
    body: '{"error":"invalid JSON: the text ends too early"}',
  }),
};

/** As if the request were another one of the vectors. */
function sameAs(name: string, reason: string): VectorDifference {
  return { reason, ours: () => answerOfVector(name) };
}

const LEGACY_ERROR = sameAs(
  "proxy, malformed",
  "a legacy client is told of its error; upstream crashes and drops the connection",
);

const OWN_LENGTH = "content-length: of our own families";

const OWN_FAMILIES: VectorDifference = {
  reason: "families of our own are there from the start; an unused upstream shows nothing",
  ours: (upstream) => ({
    ...withHeader(withoutHeader(upstream, "content-length"), OWN_LENGTH),
    body: "",
  }),
  normalize: (answer) => ({
    ...answer,
    headers: answer.headers.map((line) =>
      /^content-length: [1-9]/.test(line) ? OWN_LENGTH : line,
    ),
    body: answer.body.startsWith("# HELP snowflake_") ? "" : answer.body,
  }),
};

const HTTP: Readonly<Record<string, VectorDifference>> = {
  "GET /prometheus": OWN_FAMILIES,
  "POST /prometheus": OWN_FAMILIES,
  "PUT /prometheus": OWN_FAMILIES,
  "OPTIONS /prometheus": OWN_FAMILIES,
  "HEAD /prometheus": OWN_FAMILIES,
  "client body 100000 bytes": OWN_JSON_WORDS,
  "request asks for Connection: close": OWN_JSON_WORDS,
  "legacy, invalid offer": LEGACY_ERROR,
  "legacy, invalid NAT header": LEGACY_ERROR,
};

/** Every vector that we answer differently. */
export const HTTP_DIFFERENCES: ReadonlyMap<string, VectorDifference> = new Map(
  Object.entries(HTTP),
);

/** What to expect of the broker under test when it is sent the request of a vector. */
export function expectedAnswer(vector: string): HttpAnswer {
  const upstream = answerOfVector(vector);
  const difference = TARGET === "upstream" ? undefined : HTTP_DIFFERENCES.get(vector);
  return difference === undefined ? upstream : difference.ours(upstream);
}

// ---- HTTP: requests of the suites' own ----

const NO_OFFER = '200 {"error":"no supplied offer"}';

export const ONE_IPV6_NETWORK: Difference<"too soon" | "let in"> = {
  reason: "IPv6 addresses of one /64 are held to one poll interval; upstream tells them apart",
  ours: "too soon",
  upstream: "let in",
};

export const LONG_HEADER: Difference<string> = {
  reason: "a head has at most 64 KiB; upstream takes 1 MiB",
  ours: "431 431 Request Header Fields Too Large",
  upstream: NO_OFFER,
};

const TWO_READINGS = "two readers could understand it in two ways; upstream reads it in one";

export const LENGTH_AND_CODING: Difference<string> = {
  reason: TWO_READINGS,
  ours: "400 400 Bad Request",
  upstream: NO_OFFER,
};

export const FOLDED_LINE: Difference<string> = {
  reason: TWO_READINGS,
  ours: "400 400 Bad Request",
  upstream: NO_OFFER,
};

export const EMPTY_LINE_FIRST: Difference<string> = {
  reason: "an empty line before a request is skipped, as RFC 9112 has it; upstream refuses it",
  ours: NO_OFFER,
  upstream: "400 400 Bad Request",
};

export const NAT_HEADER_WITH_COMMA: Difference<string> = {
  reason: "the server joins header lines with commas, so that a comma ends the first one",
  ours: "503 ",
  upstream: "closed without any response",
};

// ---- Messages ----

/** Upstream's error texts for JSON that doesn't parse, the offer's or the message's. */
const GO_JSON_ERROR =
  /^(malformed session description: )?(?:invalid character|unexpected end of JSON|json: )/;

/** What a client is told of JSON that doesn't parse, in our own words; `prefix` is the protocol's. */
function ownJsonError(prefix: string): RegExp {
  return new RegExp(`^\\{"error":"${prefix}invalid JSON: (?:[^"\\\\]|\\\\.)+"\\}$`);
}

/** What to expect where upstream answers a client with this error text in this body. */
export function expectedRefusal(error: string, body: string): string | RegExp {
  const json = TARGET === "upstream" ? null : GO_JSON_ERROR.exec(error);
  return json === null ? body : ownJsonError(json[1] ?? "");
}

// ---- Matching ----

export const VANISHED_PROXY = {
  reason: "a proxy whose connection has closed leaves its pool at once; upstream hands it out",
  ours: { sessions: 0, client: '{"error":"no snowflake proxies currently available"}' },
  upstream: { sessions: 1, client: '{"error":"timed out waiting for answer!"}' },
} satisfies Difference<unknown>;

export const EARLY_ANSWER = {
  reason: "an answer before the match is refused; upstream keeps it for the next client",
  ours: "refused",
  upstream: "kept",
} satisfies Difference<unknown>;

export const SHORT_INTERVAL = {
  reason: "NextPoll is never negative",
  ours: { least: 0, most: 0 },
  upstream: { least: -9_999, most: -8_000 },
} satisfies Difference<unknown>;

export const NO_RELAY_PATTERN = {
  reason: "without --allowed-relay-pattern a proxy has to admit our bridges; upstream rejects it",
  ours: "client match",
  upstream: "incorrect relay pattern",
} satisfies Difference<unknown>;

/** What can be asked of our broker only, and why upstream's has no answer. */
export const UPSTREAM_NEVER_ANSWERS = {
  "an answer when no client comes": "it waits for the client that takes its proxy",
  "one of two answers at once": "the second may slip in before the match is cleared away",
  "an answer whose session id was polled again after the match":
    "it goes to the newer session, which has no client",
  "an answer whose session id was polled twice before the match":
    "it goes to the newer session, whichever was matched",
} as const;
