/** What port 80 answers while certificates come from a certificate authority. */

import type { Handler, Reply, ReplyHead } from "../../http/message.ts";
import { parseRequestTarget } from "./request-target.ts";

const CHALLENGES = "/.well-known/acme-challenge/";

/** A host name or an address, an IPv6 address in brackets, and perhaps a port. */
const HOST = /^([\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

/** Names of the header fields that are looked at. */
export const ACME_FIELDS: ReadonlySet<string> = new Set(["host"]);

const TEXT = ["Content-Type", "text/plain; charset=utf-8"] as const;
const CONTENT: ReplyHead = { status: 200, fields: [TEXT] };

/**
 * Answers HTTP-01 requests (RFC 8555, section 8.3) with what is in `challenges`, by token. Everything else is sent to
 * the same host and path on https, if the request can be made again there.
 */
export function createAcmeHandler(challenges: ReadonlyMap<string, string>): Handler {
  return ({ method, target, fields }, exchange) => {
    const { path, query } = parseRequestTarget(target);
    if (path.startsWith(CHALLENGES)) {
      const content = challenges.get(path.slice(CHALLENGES.length));
      const known = content !== undefined;
      return exchange.reply(known ? { head: CONTENT, body: content } : NO_CHALLENGE);
    }
    const host = HOST.exec(fields.get("host") ?? "")?.[1];
    const mayRedirect = method === "GET" || method === "HEAD";
    exchange.reply(
      mayRedirect && host !== undefined ? found(`https://${host}${path}${query}`) : USE_HTTPS,
    );
  };
}

function found(location: string): Reply {
  return {
    head: {
      status: 302,
      fields: [
        ["Content-Type", "text/html; charset=utf-8"],
        ["Location", location],
      ],
    },
    body: `<a href="${Bun.escapeHTML(location)}">Found</a>.\n\n`,
  };
}

/** The rest of the request, if there is one, is not waited for. */
function failure(status: number, message: string): Reply {
  const fields = [TEXT, ["X-Content-Type-Options", "nosniff"]] as const;
  return { head: { status, fields }, body: `${message}\n`, close: true };
}

const NO_CHALLENGE = failure(404, "404 page not found");
const USE_HTTPS = failure(400, "Use HTTPS");
