/** The HTTP frontend of any destination, on a free port of the loopback interface. */

import { createRoutes, type Handler } from "../../src/frontend/http/routes.ts";
import { HttpServer, type HttpServerParts } from "../../src/frontend/http/server.ts";
import type { Destination } from "../../src/frontend/rendezvous.ts";

export interface HttpFrontend extends AsyncDisposable {
  readonly server: HttpServer;
  readonly port: number;
  /** Ends with a slash. */
  readonly url: string;
  /** What handlers threw: nothing, or the test has found a bug. */
  readonly bugs: readonly unknown[];
}

/** All routes to a destination, at which nobody looks at the figures. */
export function routesTo(destination: Destination): Handler {
  return createRoutes({
    ...destination,
    trustedHops: 1,
    prometheus: { exposition: () => Promise.resolve("") },
    metricsLog: undefined,
  });
}

/** `parts`: what is to be otherwise than in most tests. */
export function startHttpFrontend(
  destination: Destination,
  parts: Partial<HttpServerParts> = {},
): HttpFrontend {
  const bugs: unknown[] = [];
  const server = new HttpServer({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    handler: routesTo(destination),
    onBug: (error) => bugs.push(error),
    ...parts,
  });
  const port = Number(new URL(server.url).port);
  return {
    server,
    port,
    url: `http://127.0.0.1:${port}/`,
    bugs,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
