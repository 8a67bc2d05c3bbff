/** Serves a file as `/metrics` is served, in a process of its own: `metrics-server.ts FILE`. Says where. */

import { serveMetricsFile } from "../../../src/frontend/http/metrics-route.ts";
import { HttpServer } from "../../../src/frontend/http/server.ts";

const [path] = process.argv.slice(2);

const server = new HttpServer({
  hostname: "127.0.0.1",
  port: 0,
  tls: undefined,
  handler: (request) => serveMetricsFile(request, path),
  onBug: (error) => {
    throw error;
  },
});
process.stdout.write(server.url);
