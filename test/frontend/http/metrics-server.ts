/** Serves a file as `/metrics` is served, in a process of its own: `metrics-server.ts FILE`. Says where. */

import { serveMetricsFile } from "../../../src/frontend/http/metrics-route.ts";
import { replyWith } from "../../../src/frontend/http/routes.ts";
import { openPort } from "../../kit/http-frontend.ts";

const [path] = process.argv.slice(2);

const { url } = openPort(
  (request, exchange) => replyWith(exchange, serveMetricsFile(request, path)),
  {
    onBug: (error) => {
      throw error;
    },
  },
);
process.stdout.write(url);
