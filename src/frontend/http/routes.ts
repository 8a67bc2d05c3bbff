/** Which handler a request reaches. No method is special but OPTIONS: peers may use any. */

import { serveAmp } from "../ampcache/amp-route.ts";
import type { Destination } from "../rendezvous.ts";
import { serveClient } from "./client-route.ts";
import type { Connection } from "./connection.ts";
import { formatSessionCounts } from "./debug-route.ts";
import { serveMetricsFile } from "./metrics-route.ts";
import { type ExpositionSource, servePrometheus } from "./prometheus-route.ts";
import { serveAnswer, serveProxy } from "./proxy-route.ts";
import {
  badRequest,
  corsStatus,
  corsText,
  notFound,
  plainText,
  temporaryRedirect,
} from "./replies.ts";
import { cleanPath, decodePath, parseRequestTarget } from "./request-target.ts";

export interface RoutesParts extends Destination {
  /** How many reverse proxies in front are believed when they name a proxy's address. */
  readonly trustedHops: number;
  /** What `/prometheus` shows. */
  readonly prometheus: ExpositionSource;
  /** The file that `/metrics` shows; undefined: there is none. */
  readonly metricsLog: string | undefined;
}

/** Everything below this path is a client's message on its way through an AMP cache. */
const AMP_CLIENT = "/amp/client/";

/** Serves one request. */
export type Handler = (request: Request, connection: Connection) => Response | Promise<Response>;

export function createRoutes(parts: RoutesParts): Handler {
  const { broker, trustedHops, prometheus, metricsLog } = parts;
  const routes = new Map<string, Handler>([
    ["/proxy", cors((request, connection) => serveProxy(parts, request, connection, trustedHops))],
    ["/client", cors((request, connection) => serveClient(parts, request, connection))],
    ["/answer", cors((request, connection) => serveAnswer(parts, request, connection))],
    ["/debug", cors(async () => corsText(formatSessionCounts(await broker.sessions())))],
    ["/metrics", cors((request) => serveMetricsFile(request, metricsLog))],
    ["/prometheus", (request) => servePrometheus(prometheus, request)],
    ["/robots.txt", () => plainText("User-agent: *\nDisallow: /\n")],
  ]);

  const amp = cors((request, connection) =>
    serveAmp(parts, pathBelowAmpClient(request.url), connection.gone),
  );

  return (request, connection) => {
    const { path, query } = parseRequestTarget(request.url);
    const route = routes.get(path);
    if (route !== undefined) return route(request, connection);

    const clean = request.method === "CONNECT" ? path : cleanPath(path);
    const decoded = decodePath(clean);
    if (decoded === undefined) return badRequest();
    if (`${decoded}/` === AMP_CLIENT) return temporaryRedirect(request.method, AMP_CLIENT + query);
    if (clean !== path) return temporaryRedirect(request.method, clean + query);
    if (decoded.startsWith(AMP_CLIENT)) return amp(request, connection);
    return routes.get(decoded)?.(request, connection) ?? notFound();
  };
}

/** What follows the two segments of the route. There, an encoded slash is a slash; bad escapes are refused before. */
function pathBelowAmpClient(url: string): string {
  const rest = parseRequestTarget(url).path.split("/").slice(3).join("/");
  return decodePath(rest, "/") ?? "";
}

/** A route that browsers of any origin may use: OPTIONS is answered without looking further. */
function cors(route: Handler): Handler {
  return (request, connection) =>
    request.method === "OPTIONS" ? corsStatus(200) : route(request, connection);
}
