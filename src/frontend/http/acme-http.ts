/** What port 80 answers while certificates come from a certificate authority. */

import { plainText } from "./replies.ts";
import { parseRequestTarget } from "./request-target.ts";
import type { Handler } from "./routes.ts";

const CHALLENGES = "/.well-known/acme-challenge/";

/** A host name or an address, an IPv6 address in brackets, and perhaps a port. */
const HOST = /^([\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

/**
 * Answers HTTP-01 requests (RFC 8555, section 8.3) with what is in `challenges`, by token. Everything else is sent to
 * the same host and path on https, if the request can be made again there.
 */
export function createAcmeHandler(challenges: ReadonlyMap<string, string>): Handler {
  return (request) => {
    const { path, query } = parseRequestTarget(request.url);
    if (path.startsWith(CHALLENGES)) {
      const content = challenges.get(path.slice(CHALLENGES.length));
      return content === undefined ? failure(404, "404 page not found") : plainText(content);
    }
    const host = HOST.exec(request.headers.get("host") ?? "")?.[1];
    const mayRedirect = request.method === "GET" || request.method === "HEAD";
    if (!mayRedirect || host === undefined) return failure(400, "Use HTTPS");
    return found(`https://${host}${path}${query}`);
  };
}

function found(location: string): Response {
  return new Response(`<a href="${Bun.escapeHTML(location)}">Found</a>.\n\n`, {
    status: 302,
    headers: { "Content-Type": "text/html; charset=utf-8", Location: location },
  });
}

/** The rest of the request, if there is one, is not waited for. */
function failure(status: number, message: string): Response {
  return new Response(`${message}\n`, {
    status,
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
      Connection: "close",
    },
  });
}
