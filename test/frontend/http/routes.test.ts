import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import type { Connection } from "../../../src/frontend/http/connection.ts";
import {
  cleanPath,
  decodePath,
  parseRequestTarget,
} from "../../../src/frontend/http/request-target.ts";
import { NO_REFUSAL_EVENTS } from "../../../src/frontend/refusals.ts";
import { routesTo } from "../../kit/http-frontend.ts";
import { TestBroker } from "../../kit/test-broker.ts";

const PATHS = ["/proxy", "/client", "/answer", "/debug", "/robots.txt"];

function connection(): Connection {
  return {
    gone: new AbortController().signal,
    socketAddress: () => "203.0.113.9",
    bodyTimeout: undefined,
  };
}

describe("whatever is sent", () => {
  /** Bodies from well-formed to arbitrary, so that all of the decoders' depths are reached. */
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string().map((text) => Buffer.from(text)),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
    fc
      .dictionary(fc.constantFrom("offer", "nat", "fingerprint", "Sid", "Version"), fc.jsonValue())
      .map((value) => Buffer.from(`1.0\n${JSON.stringify(value)}`)),
  );
  const headers = fc.dictionary(
    fc.constantFrom("forwarded", "x-forwarded-for", "snowflake-nat-type", "content-length"),
    fc.string({ unit: fc.constantFrom(...'0123456789.,:;=[]"for%abc ') }),
  );

  test("a route answers with a status of the protocol, at once unless it is a poll", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PATHS),
        fc.constantFrom("GET", "POST", "PUT", "OPTIONS", "HEAD"),
        headers,
        body,
        async (path, method, fields, bytes) => {
          const t = new TestBroker();
          const routes = routesTo({ broker: t.broker, refusals: NO_REFUSAL_EVENTS });
          const request = new Request(`http://x${path}`, {
            method,
            headers: fields,
            ...(method === "GET" || method === "HEAD" ? {} : { body: bytes }),
          });
          const response = routes(request, connection());
          await Promise.resolve();
          t.clock.advance(10_000);
          const { status } = await response;
          expect([200, 400, 503]).toContain(status);
          expect(t.broker.consistencyCheck()).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a path that is no route is not found, or moved, or no path at all", async () => {
    const piece = fc.constantFrom(
      "/",
      ".",
      "..",
      "proxy",
      "%",
      "%2f",
      "%2e",
      "%zz",
      "?",
      "#",
      "é",
      "<",
    );
    const target = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("")}`);
    const routes = routesTo({ broker: new TestBroker().broker, refusals: NO_REFUSAL_EVENTS });
    await fc.assert(
      fc.asyncProperty(target, async (url) => {
        // A server gives such URLs, which `new Request` would refuse, as they came.
        const request = new Request("http://x/", { method: "OPTIONS" });
        Object.defineProperty(request, "url", { value: url });
        const response = await routes(request, connection());
        expect([200, 307, 400, 404]).toContain(response.status);
        const location = response.headers.get("location");
        if (location !== null) expect(location.split("?")[0]).not.toMatch(/\/\/|\/\.\.?(\/|$)/);
      }),
    );
  });
});

describe("a request's target", () => {
  test.each([
    ["http://x/a?b=c", "/a", "?b=c"],
    ["http://x", "/", ""],
    ["http://x/", "/", ""],
    ["/a?b", "/a", "?b"],
    ["/a#b?c", "/a", ""],
    ["http://x//a", "//a", ""],
    ["/http://y/z", "/http://y/z", ""],
    ["x:443", "x:443", ""],
  ])("of %s", (url, path, query) => {
    expect(parseRequestTarget(url)).toEqual({ path, query });
  });

  test.each([
    ["//proxy", "/proxy"],
    ["/debug//", "/debug/"],
    ["/a/../debug", "/debug"],
    ["/amp/client/..", "/amp"],
    ["/..", "/"],
    ["/./", "/"],
    ["/a/b", "/a/b"],
    ["/a/b/", "/a/b/"],
    ["/", "/"],
  ])("%s is %s when cleaned", (path, clean) => {
    expect(cleanPath(path)).toBe(clean);
  });

  test.each([
    ["/%64ebug", "/debug"],
    ["/amp%2Fclient", "/amp%2Fclient"],
    ["/%e2%82%ac", "/€"],
    ["/%", undefined],
    ["/%4", undefined],
    ["/%zz", undefined],
  ])("%s decodes to %s", (path, decoded) => {
    expect(decodePath(path)).toBe(decoded);
  });

  test("a path that was encoded decodes to itself", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const path = text.toWellFormed();
        expect(decodePath(encodeURIComponent(path))).toBe(path.replaceAll("/", "%2F"));
      }),
    );
  });
});
