/** `/prometheus`: the figures, for a Prometheus server. */

import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { HttpRequest, Reply } from "../../http/message.ts";
import { BAD_TARGET, UNAVAILABLE } from "./replies.ts";
import { parseRequestTarget } from "./request-target.ts";

/** Who has the figures. */
export interface ExpositionSource {
  /**
   * The families of these names, or all, in the Prometheus text format 0.0.4; undefined if they can't be had now.
   */
  exposition(names?: ReadonlySet<string>): Promise<string | undefined>;
}

/** The most parameters of a scrape's query: more than there are families to name. The bound is ours. */
const MOST_PARAMETERS = 256;

/** The most clauses that an Accept or Accept-Encoding header may have, and parts of one. Browsers send about 8. */
const MOST_CLAUSES = 32;
const MOST_PARTS = 16;

/** Compresses on another thread. */
const compress = promisify(gzip);

/**
 * Serves a scrape by whatever method. `name[]` in the query, once or more often, selects families; a query of more
 * than 256 parameters gets status 400. The text format is the only one that is offered.
 */
export async function servePrometheus(
  source: ExpositionSource,
  request: HttpRequest,
): Promise<Reply> {
  const { query } = parseRequestTarget(request.target);
  // Counted before they are decoded, which costs the most.
  if (query.split("&", MOST_PARAMETERS + 1).length > MOST_PARAMETERS) return BAD_TARGET;
  const names = new URLSearchParams(query).getAll("name[]");
  const text = await source.exposition(names.length === 0 ? undefined : new Set(names));
  // A part of the figures would be taken for all of them.
  if (text === undefined) return UNAVAILABLE;

  const escaping = acceptedEscaping(request.fields.get("accept") ?? "");
  const contentType = `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`;
  if (!prefersGzip(request.fields.get("accept-encoding") ?? "")) {
    return { head: { status: 200, fields: [["Content-Type", contentType]] }, body: text };
  }
  const fields = [
    ["Content-Type", contentType],
    ["Content-Encoding", "gzip"],
  ] as const;
  return { head: { status: 200, fields }, body: await compress(text) };
}

/** How names that are more than letters, digits and underscores may be written. Ours are not more. */
const ESCAPINGS = new Set(["allow-utf-8", "underscores", "dots", "values"]);

/**
 * The escaping that an Accept header asks for. As in Prometheus's own negotiation, it is the last valid one up to the
 * best-liked clause that accepts the text format, whatever types the clauses before it name.
 */
function acceptedEscaping(accept: string): string {
  let escaping = "underscores";
  for (const { value, parameters } of parseWeighted(accept)) {
    const asked = parameters.get("escaping");
    if (asked !== undefined && ESCAPINGS.has(asked)) escaping = asked;
    const version = parameters.get("version") ?? "0.0.4";
    if (value === "text/plain" && version === "0.0.4") break;
  }
  return escaping;
}

/** Whether an Accept-Encoding header likes gzip better than no compression. */
function prefersGzip(acceptEncoding: string): boolean {
  let gzipWeight = 0;
  let identityWeight = 0;
  for (const { value, weight } of parseWeighted(acceptEncoding)) {
    if (value === "gzip" || value === "*") gzipWeight = Math.max(gzipWeight, weight);
    if (value === "identity" || value === "*") identityWeight = Math.max(identityWeight, weight);
  }
  return gzipWeight > identityWeight;
}

interface Weighted {
  readonly value: string;
  /** From 0 to 1; 1 unless `q` says otherwise. */
  readonly weight: number;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads a header of alternatives, the best-liked first. One of more than 32 clauses counts as not there. */
function parseWeighted(header: string): Weighted[] {
  const clauses = header.split(",", MOST_CLAUSES + 1);
  if (clauses.length > MOST_CLAUSES) return [];
  return clauses
    .map((clause) => {
      const [value = "", ...rest] = clause.split(";", MOST_PARTS).map((part) => part.trim());
      const parameters = new Map<string, string>();
      for (const parameter of rest) {
        const equals = parameter.indexOf("=");
        if (equals === -1) continue;
        parameters.set(parameter.slice(0, equals).trim(), parameter.slice(equals + 1).trim());
      }
      const weight = Number(parameters.get("q") ?? 1);
      return { value, weight: Number.isNaN(weight) ? 0 : weight, parameters };
    })
    .toSorted((a, b) => b.weight - a.weight);
}
