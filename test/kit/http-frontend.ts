/** The HTTP frontend of any destination, on a free port of the loopback interface. */

import { createRoutes } from "../../src/frontend/http/routes.ts";
import { HttpServer } from "../../src/frontend/http/server.ts";
import type { Destination } from "../../src/frontend/rendezvous.ts";

export interface HttpFrontend extends AsyncDisposable {
  readonly port: number;
  /** Ends with a slash. */
  readonly url: string;
  /** What handlers threw: nothing, or the test has found a bug. */
  readonly bugs: readonly unknown[];
}

export function startHttpFrontend(destination: Destination): HttpFrontend {
  const bugs: unknown[] = [];
  const server = new HttpServer({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    handler: createRoutes({
      ...destination,
      trustedHops: 1,
      prometheus: { exposition: () => Promise.resolve("") },
      metricsLog: undefined,
    }),
    onBug: (error) => bugs.push(error),
  });
  const port = Number(new URL(server.url).port);
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    bugs,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
