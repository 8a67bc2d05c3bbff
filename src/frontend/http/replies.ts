/** The shapes of all replies: status, header fields and content types that peers know. */

import type { BodySource, Reply, ReplyHead } from "../../http/message.ts";

type Fields = ReplyHead["fields"];

const CORS: Fields = [
  ["Access-Control-Allow-Headers", "Origin, X-Session-ID"],
  ["Access-Control-Allow-Origin", "*"],
];

const TEXT: Fields = [["Content-Type", "text/plain; charset=utf-8"]];
const NO_SNIFF: Fields = [["X-Content-Type-Options", "nosniff"]];

const CORS_TEXT: ReplyHead = { status: 200, fields: [...CORS, ...TEXT] };
const CORS_AMP_PAGE: ReplyHead = {
  status: 200,
  fields: [...CORS, ["Cache-Control", "max-age=15"], ["Content-Type", "text/html"]],
};
const PLAIN_TEXT: ReplyHead = { status: 200, fields: TEXT };

/** A message, or a text, for any origin. JSON too goes out as plain text: peers have never seen another type. */
export function corsText(body: Reply["body"]): Reply {
  return { head: CORS_TEXT, body };
}

/** A page for AMP caches. 15 s are the least that they keep one for, whatever a page says. */
export function corsAmpPage(html: string): Reply {
  return { head: CORS_AMP_PAGE, body: html };
}

/** Status 206: the bytes from `first` to `last` of a text of `size` bytes. */
export function corsPartialText(
  body: BodySource,
  first: number,
  last: number,
  size: number,
): Reply {
  const range: Fields = [
    ["Accept-Ranges", "bytes"],
    ["Content-Range", `bytes ${first}-${last}/${size}`],
  ];
  return { head: { status: 206, fields: [...CORS, ...TEXT, ...range] }, body };
}

/** Status 416: there are no such bytes in a text of `size` bytes. */
export function corsRangeNotSatisfiable(size: number): Reply {
  const range: Fields = [
    ["Accept-Ranges", "bytes"],
    ["Content-Range", `bytes */${size}`],
  ];
  return { head: { status: 416, fields: [...CORS, ...range] }, body: undefined };
}

/** Nothing but a status, for any origin. */
function corsStatus(status: number): Reply {
  return { head: { status, fields: CORS }, body: undefined };
}

export const CORS_OK = corsStatus(200);
export const CORS_BAD_REQUEST = corsStatus(400);
export const CORS_UNAVAILABLE = corsStatus(503);
export const CORS_TIMED_OUT = corsStatus(504);

/** Status 400 for a body that can't be read: what is left of it is not waited for. */
export const UNREADABLE_BODY: Reply = { ...CORS_BAD_REQUEST, close: true };

export const ROBOTS: Reply = { head: PLAIN_TEXT, body: "User-agent: *\nDisallow: /\n" };

const NO_PAGE = "404 page not found\n";

export const NOT_FOUND: Reply = {
  head: { status: 404, fields: [...TEXT, ...NO_SNIFF] },
  body: NO_PAGE,
};

/** The same, for any origin. */
export const CORS_NOT_FOUND: Reply = {
  head: { status: 404, fields: [...CORS, ...TEXT, ...NO_SNIFF] },
  body: NO_PAGE,
};

/** For what can be had again in a moment. */
export const UNAVAILABLE: Reply = {
  head: { status: 503, fields: TEXT },
  body: "503 not available now\n",
};

/** For a request target that is none. */
export const BAD_TARGET: Reply = {
  head: { status: 400, fields: TEXT },
  body: "400 Bad Request",
  close: true,
};

/**
 * Status 307 to a path on this server, as Go has it since 1.26 (301 before): a POST stays a POST. Only GET and HEAD get
 * a page that says so.
 */
export function temporaryRedirect(method: string, location: string): Reply {
  const ascii = location.replace(/[^\x21-\x7e]/g, (byte) => encodeByte(byte));
  if (method !== "GET" && method !== "HEAD") {
    return { head: { status: 307, fields: [["Location", ascii]] }, body: undefined };
  }
  return {
    head: {
      status: 307,
      fields: [
        ["Content-Type", "text/html; charset=utf-8"],
        ["Location", ascii],
      ],
    },
    body:
      method === "GET" ? `<a href="${escapeHtml(ascii)}">Temporary Redirect</a>.\n\n` : undefined,
  };
}

/** A character that stands for one byte, percent-encoded. */
function encodeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&#34;")
    .replaceAll("'", "&#39;");
}
