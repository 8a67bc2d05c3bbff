import { afterAll, beforeAll, expect, test } from "bun:test";

import { AuthorityError, withAcmeFetch } from "../../../src/tls/acme/request.ts";
import { makeTlsFiles } from "../made-certificate.ts";
import { describeWithPrograms } from "../programs.ts";

describeWithPrograms("requests to a certificate authority", ["openssl"], () => {
  const tls = makeTlsFiles(["localhost"]);
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

  const never = new AbortController().signal;
  const ask = (signal = never) => withAcmeFetch({ ca: tls.cert, signal }, () => fetch(url));

  /** What the request rejects with. */
  async function failure(signal = never): Promise<AuthorityError> {
    try {
      await ask(signal);
    } catch (error) {
      if (error instanceof AuthorityError) return error;
      throw error;
    }
    throw new Error("it does not fail");
  }

  const problem = (type: string, status: number, headers: Record<string, string> = {}) =>
    Response.json(
      { type: `urn:ietf:params:acme:error:${type}`, detail: "why" },
      { status, headers },
    );

  test("trust the root that was given, and nobody else's requests do", async () => {
    respond = () => new Response("served");
    expect(await (await ask()).text()).toBe("served");
    let trusted = true;
    await fetch(url).catch(() => (trusted = false));
    expect(trusted).toBe(false);
    const error = await withAcmeFetch({ ca: undefined, signal: never }, () => fetch(url)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ type: "unreachable" });
  });

  test("trust it through every await, and at the same time as others don't", async () => {
    respond = () => new Response("served");
    const [inside, outside] = await Promise.all([
      withAcmeFetch({ ca: tls.cert, signal: never }, async () => {
        await Promise.resolve();
        return (await fetch(url)).status;
      }),
      fetch(url).then(
        ({ status }) => status,
        () => "refused",
      ),
    ]);
    expect([inside, outside]).toEqual([200, "refused"]);
  });

  test("say who asks", async () => {
    respond = (request) => new Response(request.headers.get("user-agent"));
    expect(await (await ask()).text()).toBe("snowflake-broker");
  });

  test("keep the response's status, headers and body", async () => {
    respond = () => new Response("body", { status: 201, headers: { Location: "/account" } });
    const response = await ask();
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe("/account");
    expect(await response.text()).toBe("body");
    respond = () => new Response(null, { status: 204 });
    expect((await ask()).status).toBe(204);
  });

  test("fail with what the authority says", async () => {
    respond = () => problem("rateLimited", 429, { "Retry-After": "120" });
    expect(await failure()).toMatchObject({ message: "why", type: "rateLimited", retryAfter: 120 });
  });

  test("fail where it says nothing", async () => {
    respond = () => new Response("<h1>Bad gateway</h1>", { status: 502 });
    expect(await failure()).toMatchObject({
      message: "the certificate authority answered with status 502",
      type: "",
      retryAfter: 0,
    });
  });

  test("leave a bad nonce to the library", async () => {
    respond = () => problem("badNonce", 400, { "Replay-Nonce": "next" });
    const response = await ask();
    expect(response.status).toBe(400);
    expect(response.headers.get("replay-nonce")).toBe("next");
    expect(await response.json()).toMatchObject({ detail: "why" });
  });

  test.each([
    ["0", 0],
    ["-5", 0],
    ["soon", 0],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["9".repeat(400), 0],
  ])("Retry-After: %s is %p seconds", async (header, seconds) => {
    respond = () => problem("rateLimited", 429, { "Retry-After": header });
    expect((await failure()).retryAfter).toBe(seconds);
  });

  test("a date to come back at is so many seconds away", async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    respond = () => problem("rateLimited", 429, { "Retry-After": date });
    expect((await failure()).retryAfter).toBeWithin(3_590, 3_601);
  });

  test("read no response without end", async () => {
    const cancelled = Promise.withResolvers<void>();
    respond = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
          cancel: () => cancelled.resolve(),
        }),
      );
    expect((await failure()).message).toEndWith(": it is longer than 1000000 bytes");
    await cancelled.promise;
  });

  test("end when the broker does", async () => {
    const asked = Promise.withResolvers<void>();
    respond = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const end = new AbortController();
    const failed = failure(end.signal);
    await asked.promise;
    end.abort(new Error("the broker stops"));
    expect(await failed).toMatchObject({
      message: `no answer from localhost:${server.port}: the broker stops`,
      type: "unreachable",
    });
  });
});
