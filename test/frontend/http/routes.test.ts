import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  cleanPath,
  decodePath,
  parseRequestTarget,
} from "../../../src/frontend/http/request-target.ts";
import { NO_REFUSAL_EVENTS } from "../../../src/frontend/refusals.ts";
import { routesTo } from "../../kit/http-frontend.ts";
import { aRequest, fieldOf, replyTo } from "../../kit/requests.ts";
import { settle, TestBroker } from "../../kit/test-broker.ts";

const PATHS = ["/proxy", "/client", "/answer", "/debug", "/robots.txt"];

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
          const reply = replyTo(routes, aRequest({ method, target: path, fields, body: bytes }));
          await settle();
          t.clock.advance(10_000);
          const { status } = (await reply).head;
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
        const reply = await replyTo(routes, aRequest({ method: "OPTIONS", target: url }));
        expect([200, 307, 400, 404]).toContain(reply.head.status);
        const location = fieldOf(reply, "location");
        if (location !== undefined)
          expect(location.split("?")[0]).not.toMatch(/\/\/|\/\.\.?(\/|$)/);
      }),
    );
  });
});

describe("a request's target", () => {
  test.each([
    ["/a?b", "/a", "?b"],
    ["/a#b?c?d", "/a#b", "?c?d"],
    ["//a", "//a", ""],
    ["*", "*", ""],
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
