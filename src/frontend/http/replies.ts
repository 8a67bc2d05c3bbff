/** The shapes of all responses: status, headers and content types that peers know. */

const CORS = {
  "Access-Control-Allow-Headers": "Origin, X-Session-ID",
  "Access-Control-Allow-Origin": "*",
};

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };

const CORS_ONLY = new Headers(CORS);
const CORS_CLOSE = new Headers({ ...CORS, Connection: "close" });
const CORS_TEXT = new Headers({ ...CORS, ...TEXT });
const CORS_AMP_PAGE = new Headers({
  ...CORS,
  "Cache-Control": "max-age=15",
  "Content-Type": "text/html",
});
const PLAIN_TEXT = new Headers(TEXT);
const NOT_FOUND = new Headers({ ...TEXT, "X-Content-Type-Options": "nosniff" });
const CORS_NOT_FOUND = new Headers({ ...CORS, ...TEXT, "X-Content-Type-Options": "nosniff" });
const BAD_REQUEST = new Headers({ ...TEXT, Connection: "close" });

/** A message, or a text, for any origin. JSON too goes out as plain text: peers have never seen another type. */
export function corsText(body: string | ReadableStream<Uint8Array>): Response {
  return new Response(body, { headers: CORS_TEXT });
}

/** A page for AMP caches. 15 s are the least that they keep one for, whatever a page says. */
export function corsAmpPage(html: string): Response {
  return new Response(html, { headers: CORS_AMP_PAGE });
}

/** The headers of a text of so many bytes, for any origin: the reply to HEAD. */
export function corsTextHead(length: number): Response {
  const headers = new Headers(CORS_TEXT);
  headers.set("Content-Length", String(length));
  return new Response(null, { headers });
}

/** Status 206: the bytes from `first` to `last` of a text of `size` bytes. */
export function corsPartialText(
  body: ReadableStream<Uint8Array>,
  first: number,
  last: number,
  size: number,
): Response {
  const headers = new Headers(CORS_TEXT);
  headers.set("Accept-Ranges", "bytes");
  headers.set("Content-Range", `bytes ${first}-${last}/${size}`);
  return new Response(body, { status: 206, headers });
}

/** Status 416: there are no such bytes in a text of `size` bytes. */
export function corsRangeNotSatisfiable(size: number): Response {
  const headers = new Headers(CORS_ONLY);
  headers.set("Accept-Ranges", "bytes");
  headers.set("Content-Range", `bytes */${size}`);
  return new Response(null, { status: 416, headers });
}

/** Nothing but a status, for any origin. */
export function corsStatus(status: number): Response {
  return new Response(null, { status, headers: CORS_ONLY });
}

/** Status 400 for a body that can't be read: what is left of it is not waited for. */
export function unreadableBody(): Response {
  return new Response(null, { status: 400, headers: CORS_CLOSE });
}

/** A static text. */
export function plainText(body: string): Response {
  return new Response(body, { headers: PLAIN_TEXT });
}

export function notFound(): Response {
  return new Response("404 page not found\n", { status: 404, headers: NOT_FOUND });
}

/** The same, for any origin. */
export function corsNotFound(): Response {
  return new Response("404 page not found\n", { status: 404, headers: CORS_NOT_FOUND });
}

/** For what can be had again in a moment. */
export function unavailable(): Response {
  return new Response("503 not available now\n", { status: 503, headers: PLAIN_TEXT });
}

/** For a request target that is none. */
export function badRequest(): Response {
  return new Response("400 Bad Request", { status: 400, headers: BAD_REQUEST });
}

/**
 * Status 307 to a path on this server, as Go has it since 1.26 (301 before): a POST stays a POST. Only GET and HEAD get
 * a page that says so.
 */
export function temporaryRedirect(method: string, location: string): Response {
  if (method !== "GET" && method !== "HEAD") {
    return new Response(null, { status: 307, headers: { Location: location } });
  }
  return new Response(`<a href="${escapeHtml(location)}">Temporary Redirect</a>.\n\n`, {
    status: 307,
    headers: { "Content-Type": "text/html; charset=utf-8", Location: location },
  });
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&#34;")
    .replaceAll("'", "&#39;");
}
