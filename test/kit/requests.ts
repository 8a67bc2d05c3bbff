/** Requests and exchanges for handlers that are called without a server. */

import type { Exchange, Handler, HttpRequest, Reply } from "../../src/http/message.ts";

/** A request as a server would give it; GET of `/`, unless something else is said. */
export function aRequest(
  parts: Partial<Omit<HttpRequest, "fields">> & {
    readonly fields?: Readonly<Record<string, string>>;
  } = {},
): HttpRequest {
  return {
    method: "GET",
    target: "/",
    body: new Uint8Array(),
    ...parts,
    fields: new Map(Object.entries(parts.fields ?? {})),
  };
}

/** Calls a handler, and resolves to its reply. */
export function replyTo(handler: Handler, request: HttpRequest): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const exchange: Exchange = {
    aborted: false,
    addEventListener() {},
    remoteAddress: undefined,
    reply: resolve,
    fail: reject,
  };
  handler(request, exchange);
  return promise;
}

/** The value of a reply's header field, by its name in lower case. */
export function fieldOf({ head }: Reply, name: string): string | undefined {
  return head.fields.find(([known]) => known.toLowerCase() === name)?.[1];
}

/** A handler that replies to every request with this text. */
export function saying(body: string): Handler {
  return (_, exchange) => exchange.reply({ head: PLAIN, body });
}

const PLAIN = { status: 200, fields: [["Content-Type", "text/plain"]] } as const;
