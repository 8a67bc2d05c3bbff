/** Which handler a request reaches. No method is special but OPTIONS: peers may use any. */

import type { Exchange, Handler, Reply } from "../../http/message.ts";
import { serveAmp } from "../ampcache/amp-route.ts";
import type { Destination } from "../rendezvous.ts";
import { serveClient } from "./client-route.ts";
import { formatSessionCounts } from "./debug-route.ts";
import { serveMetricsFile } from "./metrics-route.ts";
import { type ExpositionSource, servePrometheus } from "./prometheus-route.ts";
import { serveAnswer, serveProxy } from "./proxy-route.ts";
import { BAD_TARGET, CORS_OK, corsText, NOT_FOUND, ROBOTS, temporaryRedirect } from "./replies.ts";
import { cleanPath, decodePath, parseRequestTarget } from "./request-target.ts";

export interface RoutesParts extends Destination {
  /** How many reverse proxies in front are believed when they name a proxy's address. */
  readonly trustedHops: number;
  /** What `/prometheus` shows. */
  readonly prometheus: ExpositionSource;
  /** The file that `/metrics` shows; undefined: there is none. */
  readonly metricsLog: string | undefined;
}

/** Names in lower case of the header fields that some route looks at. */
export const ROUTE_FIELDS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "forwarded",
  "if-range",
  "range",
  "snowflake-nat-type",
  "x-forwarded-for",
]);

/** Everything below this path is a client's message on its way through an AMP cache. */
const AMP_CLIENT = "/amp/client/";

export function createRoutes(parts: RoutesParts): Handler {
  const { broker, trustedHops, prometheus, metricsLog } = parts;
  const routes = new Map<string, Handler>([
    ["/proxy", cors((request, exchange) => serveProxy(parts, request, exchange, trustedHops))],
    ["/client", cors((request, exchange) => serveClient(parts, request, exchange))],
    ["/answer", cors((request, exchange) => serveAnswer(parts, request, exchange))],
    ["/debug", cors((_, exchange) => replyWith(exchange, debugPage(broker)))],
    [
      "/metrics",
      cors((request, exchange) => replyWith(exchange, serveMetricsFile(request, metricsLog))),
    ],
    [
      "/prometheus",
      (request, exchange) => replyWith(exchange, servePrometheus(prometheus, request)),
    ],
    ["/robots.txt", (_, exchange) => exchange.reply(ROBOTS)],
  ]);

  const amp = cors((request, exchange) =>
    replyWith(exchange, serveAmp(parts, pathBelowAmpClient(request.target), exchange)),
  );

  return (request, exchange) => {
    const { method, target } = request;
    const { path, query } = parseRequestTarget(target);
    const route = routes.get(path);
    if (route !== undefined) return route(request, exchange);

    const clean = method === "CONNECT" ? path : cleanPath(path);
    const decoded = decodePath(clean);
    if (decoded === undefined) return exchange.reply(BAD_TARGET);
    if (`${decoded}/` === AMP_CLIENT) {
      return exchange.reply(temporaryRedirect(method, AMP_CLIENT + query));
    }
    if (clean !== path) return exchange.reply(temporaryRedirect(method, clean + query));
    if (decoded.startsWith(AMP_CLIENT)) return amp(request, exchange);
    const decodedRoute = routes.get(decoded);
    if (decodedRoute === undefined) exchange.reply(NOT_FOUND);
    else decodedRoute(request, exchange);
  };
}

async function debugPage(broker: Destination["broker"]): Promise<Reply> {
  return corsText(formatSessionCounts(await broker.sessions()));
}

/** Sends the reply when it is there. */
export function replyWith(exchange: Exchange, reply: Promise<Reply>): void {
  reply.then(
    (it) => exchange.reply(it),
    (error: unknown) => exchange.fail(error),
  );
}

/** What follows the two segments of the route. There, an encoded slash is a slash; bad escapes are refused before. */
function pathBelowAmpClient(target: string): string {
  const rest = parseRequestTarget(target).path.split("/").slice(3).join("/");
  return decodePath(rest, "/") ?? "";
}

/** A route that browsers of any origin may use: OPTIONS is answered without looking further. */
function cors(route: Handler): Handler {
  return (request, exchange) => {
    if (request.method === "OPTIONS") exchange.reply(CORS_OK);
    else route(request, exchange);
  };
}
