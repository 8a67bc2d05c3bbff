/** The HTTP frontend of any destination, on a free port of the loopback interface. */

import { HttpPort, type HttpPortParts } from "../../src/frontend/http/http-port.ts";
import { createRoutes } from "../../src/frontend/http/routes.ts";
import type { Destination } from "../../src/frontend/rendezvous.ts";
import type { Handler } from "../../src/http/message.ts";
import { NO_CONNECTION_EVENTS } from "../../src/http/server.ts";

export interface HttpFrontend extends AsyncDisposable {
  readonly server: HttpPort;
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

/** A port of the loopback interface for a handler. `parts`: what is to be otherwise than in most tests. */
export function openPort(handler: Handler, parts: Partial<HttpPortParts> = {}): HttpFrontend {
  const bugs: unknown[] = [];
  const server = new HttpPort({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    handler,
    onBug: (error) => bugs.push(error),
    events: NO_CONNECTION_EVENTS,
    maxConnections: 20_000,
    ...parts,
  });
  return {
    server,
    port: server.port,
    url: `${parts.tls === undefined ? "http" : "https"}://127.0.0.1:${server.port}/`,
    bugs,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

export function startHttpFrontend(
  destination: Destination,
  parts: Partial<HttpPortParts> = {},
): HttpFrontend {
  return openPort(routesTo(destination), parts);
}
