import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { gzipSync } from "node:zlib";

import {
  type AuthorityError,
  type AuthorityReply,
  type AuthorityRequest,
  decodeRefusal,
  isSuccess,
  parseRetryAfter,
  requestAuthority,
} from "../../../src/tls/acme/request.ts";
import { makeTlsFiles } from "../made-certificate.ts";
import { describeWithPrograms } from "../programs.ts";

const never = new AbortController().signal;
const GET: AuthorityRequest = { method: "GET" };
const POST: AuthorityRequest = { method: "POST", body: "{}" };

describeWithPrograms("a request to a certificate authority", ["openssl"], () => {
  const tls = makeTlsFiles(["localhost", "authority.invalid"]);
  let server: Bun.Server<undefined>;
  let url: string;
  let respond: (request: Request) => Response | Promise<Response>;

  beforeAll(() => {
    server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls,
      fetch: (request) => respond(request),
    });
    url = `https://localhost:${server.port}/x`;
  });
  afterAll(() => server.stop(true));

  const ask = (request = GET, signal = never): Promise<AuthorityReply> =>
    requestAuthority(url, request, { ca: tls.cert, signal });

  test("trusts the root that was given, and no other request does", async () => {
    respond = () => new Response("served");
    expect((await ask()).text).toBe("served");
    const error = await requestAuthority(url, GET, { ca: undefined, signal: never }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: "AuthorityError", type: "unreachable" });
    const plain = await fetch(url).catch(() => "refused");
    expect(plain).toBe("refused");
  });

  test("goes through the proxy that HTTPS_PROXY names", async () => {
    respond = () => new Response("served");
    await using stage = new AsyncDisposableStack();
    const asked: string[] = [];
    const proxy = createServer((client) => {
      client.once("data", (head) => {
        asked.push(head.toString().split("\r\n")[0] ?? "");
        const authority = connect(Number(server.port), "127.0.0.1");
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(authority).pipe(client);
        for (const socket of [client, authority]) socket.on("error", () => client.destroy());
        stage.defer(() => void client.destroy());
        stage.defer(() => void authority.destroy());
      });
    }).listen(0, "127.0.0.1");
    stage.defer(() => void proxy.close());
    await once(proxy, "listening");
    const address = proxy.address();
    if (address === null || typeof address === "string") throw new Error("no port");

    const before = process.env["HTTPS_PROXY"];
    process.env["HTTPS_PROXY"] = `http://127.0.0.1:${address.port}`;
    stage.defer(() => {
      if (before === undefined) delete process.env["HTTPS_PROXY"];
      else process.env["HTTPS_PROXY"] = before;
    });
    // A name that leads nowhere: only the proxy knows where it is.
    const access = { ca: tls.cert, signal: never };
    const reply = await requestAuthority("https://authority.invalid/x", GET, access);
    expect(reply.text).toBe("served");
    expect(asked).toEqual(["CONNECT authority.invalid:443 HTTP/1.1"]);
  });

  test("says who asks, and sends its method, headers and body", async () => {
    respond = async (request) =>
      Response.json([
        request.method,
        request.headers.get("user-agent"),
        request.headers.get("content-type"),
        await request.text(),
      ]);
    const headers = { "Content-Type": "application/jose+json" };
    expect(JSON.parse((await ask({ ...POST, headers })).text)).toEqual([
      "POST",
      "snowflake-broker",
      "application/jose+json",
      "{}",
    ]);
  });

  test.each([200, 201, 204, 400, 500])("keeps the response of status %p", async (status) => {
    const body = status === 204 ? null : "body";
    respond = () => new Response(body, { status, headers: { Location: "/account" } });
    const reply = await ask();
    expect(reply.status).toBe(status);
    expect(reply.headers.get("location")).toBe("/account");
    expect(reply.text).toBe(body ?? "");
    expect(isSuccess(reply)).toBe(status < 300);
  });

  test("follows redirects, but not with a body", async () => {
    respond = ({ url: asked }) =>
      asked.endsWith("/y") ? new Response("there") : Response.redirect("/y", 307);
    expect(await ask()).toMatchObject({ status: 200, text: "there" });
    expect(await ask(POST)).toMatchObject({ status: 307 });
  });

  test("ends where redirects don't", async () => {
    respond = () => Response.redirect(url, 302);
    expect(await ask().catch((error: AuthorityError) => error.message)).toInclude(
      "redirected too many times",
    );
  });

  test("reads no response without end", async () => {
    const cancelled = Promise.withResolvers<void>();
    respond = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
          cancel: () => cancelled.resolve(),
        }),
      );
    expect(await ask().catch((error: AuthorityError) => error.message)).toEndWith(
      ": it is longer than 1000000 bytes",
    );
    await cancelled.promise;
  });

  test("counts the bytes of a compressed response as they are without compression", async () => {
    const body = gzipSync(Buffer.alloc(1_000_001));
    respond = () => new Response(body, { headers: { "Content-Encoding": "gzip" } });
    expect(await ask().catch((error: AuthorityError) => error.message)).toEndWith(
      ": it is longer than 1000000 bytes",
    );
  });

  test.each(["before the response", "in its body"])("ends with the order, %s", async (where) => {
    const asked = Promise.withResolvers<void>();
    respond = () => {
      asked.resolve();
      if (where !== "in its body") return new Promise(() => {});
      return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    };
    const end = new AbortController();
    const failed = ask(GET, end.signal).catch((error: unknown) => error);
    await asked.promise;
    end.abort(new Error("the broker stops"));
    expect(await failed).toMatchObject({
      name: "AuthorityError",
      message: `no answer from localhost:${server.port}: the broker stops`,
      type: "unreachable",
    });
  });
});

const replyWith = (status: number, text: string, retryAfter?: string): AuthorityReply => ({
  status,
  headers: new Headers(retryAfter === undefined ? {} : { "Retry-After": retryAfter }),
  text,
});

test("a refusal is what the authority says", () => {
  const problem = { type: "urn:ietf:params:acme:error:rateLimited", detail: "why" };
  const error = decodeRefusal(replyWith(429, JSON.stringify(problem), "120"));
  expect(error).toMatchObject({ message: "why", type: "rateLimited", retryAfter: 120 });
});

test.each(["<h1>Bad gateway</h1>", "", "[]", "null", "[".repeat(500_000)])(
  "a refusal without words is its status",
  (text) => {
    expect(decodeRefusal(replyWith(502, text))).toMatchObject({
      message: "the certificate authority answered with status 502",
      type: "",
      retryAfter: 0,
    });
  },
);

test.each([
  ["0", 0],
  ["90", 90],
  ["-5", 0],
  ["soon", 0],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["9".repeat(400), 0],
])("Retry-After: %s is %p seconds", (header, seconds) => {
  expect(parseRetryAfter(new Headers({ "Retry-After": header }))).toBe(seconds);
});

test("a date to come back at is so many seconds away", () => {
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  expect(parseRetryAfter(new Headers({ "Retry-After": date }))).toBeWithin(3_590, 3_601);
});
