/** A reverse proxy in front of Pebble, as authorities have them, which can be told to fail. */

import { createTestCa } from "../interop/test-ca.ts";
import type { Pebble } from "./pebble.ts";

export interface FlakyProxy extends Disposable {
  /** URL of the directory; with the query `?empty` it is an object without members. */
  readonly directory: string;
  /** The root that its port is certified by: a PEM file. */
  readonly authorityFile: string;
  /** How many requests have come. */
  readonly requests: number;
  /** Answers that one request, counted from 1, with status 503 and a page for people. */
  failAt(request: number): void;
}

export async function startFlakyProxy(pebble: Pebble): Promise<FlakyProxy> {
  const ca = createTestCa();
  const { origin } = new URL(pebble.directory);
  const tls = { ca: await Bun.file(pebble.authorityFile).text() };
  let requests = 0;
  let failing = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert: Bun.file(ca.certFile), key: Bun.file(ca.keyFile) },
    async fetch(request) {
      requests++;
      if (requests === failing) return new Response("<h1>Try later</h1>", { status: 503 });
      const { pathname, search } = new URL(request.url);
      if (search === "?empty") return Response.json({});
      // Pebble makes the URLs in its answers from the Host header, so they lead back here.
      return fetch(origin + pathname, {
        method: request.method,
        headers: request.headers,
        ...(request.method === "POST" ? { body: await request.bytes() } : {}),
        tls,
      });
    },
  });
  return {
    directory: `https://127.0.0.1:${server.port}/dir`,
    authorityFile: ca.authorityFile,
    get requests() {
      return requests;
    },
    failAt(request) {
      failing = request;
    },
    [Symbol.dispose]() {
      void server.stop(true);
      ca[Symbol.dispose]();
    },
  };
}
