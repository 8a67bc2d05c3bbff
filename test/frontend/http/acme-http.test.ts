import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { ACME_FIELDS, createAcmeHandler } from "../../../src/frontend/http/acme-http.ts";
import { HttpServer, NO_CONNECTION_EVENTS } from "../../../src/http/server.ts";
import { RawConnection } from "./raw-http.ts";

describe("port 80", () => {
  const challenges = new Map([["token-1", "token-1.thumbprint"]]);
  const bugs: unknown[] = [];
  let server: HttpServer;
  let port: number;

  beforeAll(() => {
    server = new HttpServer({
      hostname: "127.0.0.1",
      port: 0,
      tls: undefined,
      sharePort: false,
      handler: createAcmeHandler(challenges),
      fields: ACME_FIELDS,
      events: NO_CONNECTION_EVENTS,
      maxConnections: 100,
      onBug: (error) => bugs.push(error),
    });
    port = server.port;
  });
  afterAll(async () => {
    await server.stop(1_000);
    expect(bugs).toEqual([]);
  });

  async function ask(request: string, host: string | null = "a.example") {
    const connection = await RawConnection.open(port);
    const hostLine = host === null ? "" : `Host: ${host}\r\n`;
    connection.send(`${request}\r\n${hostLine}\r\n`);
    const response = await connection.response({ toHead: request.startsWith("HEAD ") });
    connection.end();
    if (response === undefined) throw new Error("no response");
    const header = (name: string) =>
      response.headers
        .find((line) => line.toLowerCase().startsWith(`${name}: `))
        ?.slice(name.length + 2);
    return { status: Number(response.statusLine.split(" ")[1]), body: response.body, header };
  }

  const get = (target: string) => `GET ${target} HTTP/1.1`;
  const CHALLENGES = "/.well-known/acme-challenge/";

  test("answers what the certificate authority asks", async () => {
    const answer = await ask(get(`${CHALLENGES}token-1`));
    expect(answer).toMatchObject({ status: 200, body: "token-1.thumbprint" });
    expect(answer.header("content-type")).toBe("text/plain; charset=utf-8");
    expect((await ask(get(`${CHALLENGES}token-1?x=1`))).body).toBe("token-1.thumbprint");
  });

  test.each(["token-2", "", "__proto__", "token-1/", "token%2D1"])(
    "knows nothing of the challenge %p, and redirects no authority",
    async (token) => {
      expect((await ask(get(CHALLENGES + token))).status).toBe(404);
    },
  );

  test.each([
    ["/", "a.example", "https://a.example/"],
    ["/client?a=b&c=%20d", "a.example:80", "https://a.example/client?a=b&c=%20d"],
    ["/x", "192.0.2.1:8080", "https://192.0.2.1/x"],
    ["/x", "[2001:db8::1]:80", "https://[2001:db8::1]/x"],
    ["//evil.example/", "a.example", "https://a.example//evil.example/"],
    ["/.well-known/other", "a.example", "https://a.example/.well-known/other"],
  ])("sends %s of %s on", async (target, host, location) => {
    const answer = await ask(get(target), host);
    expect(answer.status).toBe(302);
    expect(answer.header("location")).toBe(location);
    expect(answer.header("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.body).toBe(`<a href="${location.replaceAll("&", "&amp;")}">Found</a>.\n\n`);
  });

  test("sends HEAD on without a body", async () => {
    const answer = await ask("HEAD /x HTTP/1.1");
    expect(answer).toMatchObject({ status: 302, body: "" });
    expect(answer.header("location")).toBe("https://a.example/x");
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("wants %s to use https", async (method) => {
    const answer = await ask(`${method} /client HTTP/1.1`);
    expect(answer).toMatchObject({ status: 400, body: "Use HTTPS\n" });
    expect(answer.header("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.header("x-content-type-options")).toBe("nosniff");
  });

  test.each(["a.example/x", "user@a.example", 'a"b', "a.example:x", ""])(
    "sends nobody to the host %p",
    async (host) => {
      expect((await ask(get("/"), host)).status).toBe(400);
    },
  );

  test("a host is needed to send somebody to", async () => {
    expect((await ask("GET / HTTP/1.0", null)).status).toBe(400);
  });
});
