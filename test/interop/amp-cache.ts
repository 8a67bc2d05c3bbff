/**
 * A stand-in for an AMP cache, as far as a client can tell: it is asked for a publisher's page by the AMP cache URL
 * format, fetches it, and passes it on if it is one.
 *
 * The format: the host is the publisher's as one label, below the cache's domain; the path is `/c` for a page, `/s` if
 * the publisher has TLS, the publisher's host, and the path there.
 */

/** The domain of the cache, which exists nowhere: a client has to be told of `front` to come here. */
export const CACHE_DOMAIN = "cache.example";

export interface AmpCache extends AsyncDisposable {
  /** `host:port` to connect to for any host below the domain. */
  readonly front: string;
  /** How many pages it has passed on. */
  readonly pages: number;
}

/** `publishers`: what is behind the hosts of publishers, which need not exist elsewhere. */
export function startAmpCache(publishers: ReadonlyMap<string, URL>): AmpCache {
  let pages = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    async fetch(request) {
      const { host, pathname } = new URL(request.url);
      const [, publisher = "", path = ""] = /^\/c(?:\/s)?\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
      const origin = publishers.get(publisher);
      if (origin === undefined || host !== `${asLabel(publisher)}.${CACHE_DOMAIN}`) return refuse();
      const response = await fetch(new URL(path, origin), { signal: request.signal });
      const page = await response.text();
      if (response.status !== 200 || response.headers.get("content-type") !== "text/html") {
        return refuse();
      }
      pages++;
      return new Response(page, { headers: { "Content-Type": "text/html" } });
    },
  });
  return {
    front: `127.0.0.1:${server.port}`,
    get pages() {
      return pages;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** A host as one label of a host name, if it is short and plain. */
function asLabel(host: string): string {
  return host.replaceAll("-", "--").replaceAll(".", "-");
}

function refuse(): Response {
  return new Response(null, { status: 404 });
}
