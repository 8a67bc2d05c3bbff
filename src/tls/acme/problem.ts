/** Problem documents (RFC 7807) as certificate authorities write them (RFC 8555, section 6.7). */

export interface AcmeProblem {
  /** What follows `urn:ietf:params:acme:error:`, such as `unauthorized`; empty: it is no such document. */
  readonly type: string;
  /** What the authority says, on one line; empty: nothing. */
  readonly text: string;
}

const TYPE_PREFIX = "urn:ietf:params:acme:error:";
/** Of each text no more is told, in UTF-16 units. */
const MAX_TEXT = 500;
/** Of the subproblems, which are one for each host name, no more are told. */
const MAX_SUBPROBLEMS = 5;

/** Reads a document that may be anything. */
export function parseProblem(document: unknown): AcmeProblem {
  if (!isObject(document)) return { type: "", text: "" };
  const { type, subproblems } = document;
  const known = typeof type === "string" && type.startsWith(TYPE_PREFIX);
  const texts = [
    detailOf(document),
    ...(Array.isArray(subproblems) ? subproblems : [])
      .slice(0, MAX_SUBPROBLEMS)
      .map(formatSubproblem),
  ];
  return {
    type: known ? type.slice(TYPE_PREFIX.length) : "",
    text: texts.filter((text) => text !== "").join("; "),
  };
}

/** What is wrong with one of several host names. */
function formatSubproblem(subproblem: unknown): string {
  if (!isObject(subproblem)) return "";
  const { identifier } = subproblem;
  const name = isObject(identifier) ? identifier["value"] : undefined;
  const detail = detailOf(subproblem);
  return typeof name === "string" ? `${oneLine(name)}: ${detail}` : detail;
}

function detailOf({ detail }: Readonly<Record<string, unknown>>): string {
  return typeof detail === "string" ? oneLine(detail) : "";
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, MAX_TEXT);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
