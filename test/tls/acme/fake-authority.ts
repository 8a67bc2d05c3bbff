/** A certificate authority that follows a script: it does its part well, but for the responses that a test changes. */

import type { TlsFiles } from "../../../src/tls/certificate.ts";
import { ANY_CERTIFICATE } from "../any-certificate.ts";

/** Decides a response. `usual`: makes the response of an authority that does its part. */
export type Respond = (usual: () => Response, request: Request) => Response | Promise<Response>;

/** A request as it came. */
export interface ReceivedRequest {
  readonly path: string;
  readonly contentType: string | null;
  readonly accept: string | null;
  /** The protected header and the payload, decoded; undefined: it was not signed. */
  readonly header: Readonly<Record<string, unknown>> | undefined;
  readonly payload: string | undefined;
}

/** The same text, whatever is asked. */
export function text(body: string, type = "application/json"): Respond {
  return (usual) => {
    const { headers } = usual();
    headers.set("Content-Type", type);
    return new Response(body, { headers });
  };
}

/** A problem document of ACME. */
export function problem(
  type: string,
  detail: string,
  headers: Record<string, string> = {},
): Respond {
  const document = { type: `urn:ietf:params:acme:error:${type}`, detail };
  return () => Response.json(document, { status: 400, headers });
}

/** The usual response, whose object has these members instead. */
export function having(members: object): Respond {
  return async (usual) => {
    const response = usual();
    const object: unknown = await response.json();
    if (typeof object !== "object") throw new Error("the usual response is no object");
    return Response.json({ ...object, ...members }, { headers: response.headers });
  };
}

/** The usual response with another header, or without it. */
export function withHeader(name: string, value: string | undefined): Respond {
  return (usual) => {
    const response = usual();
    if (value === undefined) response.headers.delete(name);
    else response.headers.set(name, value);
    return response;
  };
}

/** A response that never ends. */
export const endless: Respond = () =>
  new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100_000)) }),
  );

/**
 * Serves on https://localhost one order at a time for `a.example` and `b.example`, which is ready when both challenges are
 * submitted, and valid when it is finalized. It checks neither nonces nor signatures: Pebble does.
 */
export class FakeAuthority implements Disposable {
  readonly requests: ReceivedRequest[] = [];
  readonly directory: string;
  readonly #responses = new Map<string, Respond>();
  readonly #server: Bun.Server<undefined>;
  readonly #submitted = new Set<string>();
  #isFinalized = false;
  #nonces = 0;

  constructor(tls: TlsFiles) {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls,
      fetch: (request) => this.#serve(request),
    });
    this.directory = `https://localhost:${this.#server.port}/directory`;
  }

  /** Responds differently to requests for the path: one of `#usual`. */
  on(path: string, respond: Respond): void {
    this.#responses.set(path, respond);
  }

  /** How many requests there were for the path. */
  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname: path } = new URL(request.url);
    this.requests.push({
      path,
      contentType: request.headers.get("content-type"),
      accept: request.headers.get("accept"),
      ...decodeJws(await request.text()),
    });
    const usual = () => this.#usual(path);
    return (await this.#responses.get(path)?.(usual, request)) ?? usual();
  }

  #usual(path: string): Response {
    const url = (where: string) => new URL(where, this.directory).href;
    if (path === "/directory") {
      return Response.json({
        newNonce: url("/nonce"),
        newAccount: url("/account"),
        newOrder: url("/new-order"),
        meta: { termsOfService: "https://ca.example/terms" },
      });
    }
    const headers = { "Replay-Nonce": `nonce-${++this.#nonces}` };
    switch (path) {
      case "/nonce":
        return new Response(null, { headers });
      case "/account":
        return Response.json({}, { status: 201, headers: { ...headers, Location: url("/me") } });
      case "/authorization/a":
      case "/authorization/b":
        return Response.json(this.#authorization(path.slice(-1)), { headers });
      case "/challenge/a":
      case "/challenge/b":
        this.#submitted.add(path);
        return Response.json({}, { headers });
      case "/new-order":
      case "/order":
      case "/finalize":
        if (path === "/new-order") this.#submitted.clear();
        if (path !== "/order") this.#isFinalized = path === "/finalize";
        return Response.json(this.#order(), { headers: { ...headers, Location: url("/order") } });
      case "/chain":
        return new Response(ANY_CERTIFICATE.cert, { headers });
      default:
        return new Response("nothing is here", { status: 404, headers });
    }
  }

  #authorization(name: string) {
    return {
      status: "pending",
      identifier: { type: "dns", value: `${name}.example` },
      challenges: [
        { type: "dns-01", url: new URL("/dns", this.directory), token: `dns-${name}` },
        { type: "http-01", url: new URL(`/challenge/${name}`, this.directory), token: `t-${name}` },
      ],
    };
  }

  #order() {
    const pending = this.#submitted.size === 2 ? "ready" : "pending";
    return {
      status: this.#isFinalized ? "valid" : pending,
      authorizations: ["a", "b"].map((name) => new URL(`/authorization/${name}`, this.directory)),
      finalize: new URL("/finalize", this.directory),
      ...(this.#isFinalized ? { certificate: new URL("/chain", this.directory) } : {}),
    };
  }
}

function decodeJws(body: string): Pick<ReceivedRequest, "header" | "payload"> {
  if (body === "") return { header: undefined, payload: undefined };
  const jws: Record<string, string> = JSON.parse(body);
  const [header = "", payload = ""] = ["protected", "payload"].map((member) =>
    Buffer.from(jws[member] ?? "", "base64url").toString(),
  );
  return { header: JSON.parse(header), payload };
}
