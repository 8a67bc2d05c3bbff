/** Which handler a request reaches. No method is special but OPTIONS: peers may use any. */

import type { Broker } from "../../broker/broker.ts";
import { serveClient } from "./client-route.ts";
import type { Connection } from "./connection.ts";
import { formatSessionCounts } from "./debug-route.ts";
import { serveAnswer, serveProxy } from "./proxy-route.ts";
import {
  badRequest,
  corsStatus,
  corsText,
  movedPermanently,
  notFound,
  plainText,
} from "./replies.ts";
import { cleanPath, decodePath, parseRequestTarget } from "./request-target.ts";

export interface RoutesParts {
  readonly broker: Broker;
  /** How many reverse proxies in front are believed when they name a proxy's address. */
  readonly trustedHops: number;
}

/** Serves one request. */
export type Handler = (request: Request, connection: Connection) => Response | Promise<Response>;

export function createRoutes({ broker, trustedHops }: RoutesParts): Handler {
  const routes = new Map<string, Handler>([
    ["/proxy", cors((request, connection) => serveProxy(broker, request, connection, trustedHops))],
    ["/client", cors((request, connection) => serveClient(broker, request, connection))],
    ["/answer", cors((request) => serveAnswer(broker, request))],
    ["/debug", cors(async () => corsText(formatSessionCounts(await broker.sessions())))],
    ["/robots.txt", () => plainText("User-agent: *\nDisallow: /\n")],
  ]);

  return (request, connection) => {
    const { path, query } = parseRequestTarget(request.url);
    const route = routes.get(path);
    if (route !== undefined) return route(request, connection);

    const decoded = decodePath(path);
    if (decoded === undefined) return badRequest();
    const clean = cleanPath(path);
    if (clean !== path && request.method !== "CONNECT")
      return movedPermanently(request.method, clean + query);
    return routes.get(decoded)?.(request, connection) ?? notFound();
  };
}

/** A route that browsers of any origin may use: OPTIONS is answered without looking further. */
function cors(route: Handler): Handler {
  return (request, connection) =>
    request.method === "OPTIONS" ? corsStatus(200) : route(request, connection);
}
