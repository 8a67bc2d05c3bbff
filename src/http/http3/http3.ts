/** HTTP/3, which the runtime's own server speaks, with the same requests and replies as our own protocols. */

import { setTimeout as sleep } from "node:timers/promises";

import { BODY_BYTES } from "../limits.ts";
import type {
  BodySource,
  Exchange,
  Handler,
  HttpRequest,
  Reply,
  ReplyHead,
  RequestBody,
} from "../message.ts";
import type { TlsCredentials } from "../sockets.ts";
import { TIME_LIMITS, type TimeLimits } from "../time-limits.ts";

export interface Http3Parts {
  /** Undefined: all interfaces. */
  readonly hostname: string | undefined;
  /** A UDP port. */
  readonly port: number;
  readonly tls: TlsCredentials;
  /** True: other servers may listen on the same port, if they say so too. */
  readonly sharePort: boolean;
  readonly handler: Handler;
  /** Names in lower case of the header fields that the handler looks at. */
  readonly fields: ReadonlySet<string>;
  readonly onBug: (error: unknown) => void;
  /** What differs from `TIME_LIMITS`, in ms: of these, `body` counts. */
  readonly timeLimits?: Partial<TimeLimits> | undefined;
}

/**
 * Seconds until a connection is closed from which nothing comes; a peer that sends PINGs keeps its own. Requests are not
 * cut: each ends by a timer of its handler's, and its body by one of ours.
 */
const IDLE_TIMEOUT = 32;

/**
 * Milliseconds that a server stays after its last response: the process itself has to send again what was lost.
 * Afterwards it is ended by force, as the runtime keeps the port for as long as there are connections.
 */
const LAST_DATAGRAMS = 500;

/** One server, with one certificate. */
export class Http3 {
  readonly #server: Bun.Server<undefined>;

  /** Listens at once. Throws if the port can't be had or the certificate can't be used. */
  constructor(parts: Http3Parts) {
    this.#server = Bun.serve({
      ...(parts.hostname === undefined ? {} : { hostname: parts.hostname }),
      port: parts.port,
      reusePort: parts.sharePort,
      tls: parts.tls,
      http1: false,
      http3: true,
      idleTimeout: IDLE_TIMEOUT,
      // The limit of ours has an answer of its own; the server's would answer 413.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      fetch: async (request, server) => serve(parts, request, server.requestIP(request)?.address),
      error(error) {
        parts.onBug(error);
        return new Response(null, { status: 500 });
      },
    });
  }

  /** Stops listening, lets pending replies finish for so many ms, and closes what is left. */
  async stop(timeout: number): Promise<void> {
    const timer = setTimeout(() => void this.#server.stop(true), timeout);
    await this.#server.stop();
    clearTimeout(timer);
    await sleep(LAST_DATAGRAMS);
    await this.#server.stop(true);
  }
}

async function serve(
  { handler, fields, onBug, timeLimits }: Http3Parts,
  request: Request,
  remoteAddress: string | undefined,
): Promise<Response> {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const { method, signal } = request;
  const exchange: Exchange = {
    get aborted() {
      return signal.aborted;
    },
    addEventListener: (type, listener) => signal.addEventListener(type, listener),
    remoteAddress,
    reply: (reply) => resolve(toResponse(reply, method)),
    fail(error) {
      onBug(error);
      resolve(new Response(null, { status: 500 }));
    },
  };
  const body = await readBody(request, timeLimits?.body ?? TIME_LIMITS.body);
  const plain: HttpRequest = {
    method,
    target: targetOf(request.url),
    fields: new Map([...request.headers].filter(([name]) => fields.has(name))),
    body,
  };
  try {
    handler(plain, exchange);
  } catch (error) {
    exchange.fail(error);
  }
  return promise;
}

/** What follows the authority of a URL. */
function targetOf(url: string): string {
  const authority = url.indexOf("://") + 3;
  const path = url.indexOf("/", authority);
  return path === -1 ? "/" : url.slice(path);
}

async function readBody(request: Request, timeout: number): Promise<RequestBody> {
  const late = Promise.withResolvers<"broken">();
  const timer = setTimeout(late.resolve, timeout, "broken");
  const body = await Promise.race([readWithinLimit(request), late.promise]);
  clearTimeout(timer);
  return body;
}

async function readWithinLimit(request: Request): Promise<RequestBody> {
  if (Number(request.headers.get("content-length")) > BODY_BYTES) return "too-long";
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.byteLength;
      if (length > BODY_BYTES) return "too-long";
      chunks.push(chunk);
    }
  } catch {
    // The peer has hung up or broken the framing: its doing, and nobody is left to be told.
    return "broken";
  }
  return Buffer.concat(chunks, length);
}

/** Header fields by the heads that they were made of. */
const HEADERS = new WeakMap<ReplyHead, Headers>();

function toResponse({ head, body }: Reply, method: string): Response {
  let headers = HEADERS.get(head);
  if (headers === undefined) {
    headers = new Headers(head.fields.map(([name, value]): [string, string] => [name, value]));
    HEADERS.set(head, headers);
  }
  const { status } = head;
  if (body === undefined || typeof body === "string") {
    return new Response(body ?? null, { status, headers });
  }
  if (body instanceof Uint8Array) return new Response(new Uint8Array(body), { status, headers });
  if (method !== "HEAD") return new Response(toStream(body), { status, headers });
  body.close();
  const withLength = new Headers(headers);
  withLength.set("Content-Length", String(body.length));
  return new Response(null, { status, headers: withLength });
}

function toStream(source: BodySource): ReadableStream<Uint8Array> {
  let left = source.length;
  /** The last read, going on or done. */
  let reading: Promise<void> = Promise.resolve();
  return new ReadableStream(
    {
      pull(controller) {
        reading = source.read().then(
          (piece) => {
            left -= piece.byteLength;
            controller.enqueue(piece);
            if (left > 0) return;
            controller.close();
            source.close();
          },
          (error: unknown) => {
            controller.error(error);
            source.close();
          },
        );
        return reading;
      },
      async cancel() {
        await reading;
        source.close();
      },
    },
    { highWaterMark: 0 },
  );
}
