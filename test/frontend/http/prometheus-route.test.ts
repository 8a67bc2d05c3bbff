import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";

import { servePrometheus } from "../../../src/frontend/http/prometheus-route.ts";
import { replyWith } from "../../../src/frontend/http/routes.ts";
import type { Reply } from "../../../src/http/message.ts";
import { RemoteFigures } from "../../../src/metrics/remote-figures.ts";
import { type HttpFrontend, openPort } from "../../kit/http-frontend.ts";
import { aRequest, fieldOf } from "../../kit/requests.ts";
import vector from "../../vectors/prometheus.json";

/** Says what it was asked for; has nothing of the name `none`. */
const SOURCE = {
  async exposition(names?: ReadonlySet<string>) {
    if (names === undefined) return "everything\n";
    return names.has("none") ? "" : `${[...names].join(" ")}\n`;
  },
};

const PATH = "/prometheus";

function serve(query: string, fields: Record<string, string> = {}): Promise<Reply> {
  return servePrometheus(SOURCE, aRequest({ target: PATH + query, fields }));
}

describe("the content type", () => {
  test("is upstream's", async () => {
    const reply = await serve("");
    expect(fieldOf(reply, "content-type")).toBe(vector.content_type);
    expect(reply.body).toBe("everything\n");
  });

  test.each([
    ["text/plain;version=0.0.4;escaping=allow-utf-8", "allow-utf-8"],
    ["text/plain; version=0.0.4; escaping=dots", "dots"],
    ["text/plain;escaping = values", "values"],
    ["text/plain;version=0.0.4;escaping=underscores", "underscores"],
    ["text/plain;escaping=upside-down", "underscores"],
    ["text/plain;escaping=DOTS", "underscores"],
    ["text/plain;escaping", "underscores"],
    ["*/*", "underscores"],
    ["", "underscores"],
    [",;,=;q=x,;;", "underscores"],
    // The escaping is looked for in every clause up to the one that accepts the text format.
    ["application/openmetrics-text;version=1.0.0;escaping=dots;q=0.5,text/plain;q=0.4", "dots"],
    ["application/json;escaping=dots, text/plain;version=1.0.0;escaping=values", "values"],
    ["text/plain;escaping=dots;q=0.2, text/plain;escaping=values;q=0.7", "values"],
    ["text/plain, text/html;escaping=values", "underscores"],
  ])("for %p says escaping=%s", async (accept, escaping) => {
    expect(fieldOf(await serve("", { accept }), "content-type")).toBe(
      `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`,
    );
  });
});

describe("compression", () => {
  test.each([
    ["gzip", true],
    ["gzip, deflate, br", true],
    ["br;q=1.0, gzip;q=0.1", true],
    ["gzip;q=0.5, identity;q=0.4", true],
    ["*;q=0.5, identity;q=0.2, gzip", true],
    ["", false],
    ["br", false],
    ["x-gzip", false],
    ["gzip;q=0", false],
    ["gzip;q=0.5, identity", false],
    ["gzip, identity", false],
    ["*", false],
    ["gzip;q=zero", false],
  ])("for %p is used: %p", async (acceptEncoding, compressed) => {
    const reply = await serve("", { "accept-encoding": acceptEncoding });
    expect(fieldOf(reply, "content-encoding")).toBe(compressed ? "gzip" : undefined);
    const { body } = reply;
    const text = body instanceof Uint8Array ? gunzipSync(body).toString() : body;
    expect(text).toBe("everything\n");
  });
});

describe("the selection", () => {
  test.each([
    ["?name[]=a", "a\n"],
    ["?name[]=a&name[]=b&name[]=a", "a b\n"],
    ["?x=1&name%5B%5D=snowflake%5Fproxy_total", "snowflake_proxy_total\n"],
    ["?name[]=", "\n"],
    ["?name=a", "everything\n"],
    ["?", "everything\n"],
    ["?name[]=%zz&%=%", "%zz\n"],
  ])("of %p is %p", async (query, text) => {
    expect((await serve(query)).body).toBe(text);
  });
});

describe("beyond what is read", () => {
  const clauses = (before: number) => `${"a,".repeat(before)}gzip`;
  const accept = (before: number) => `${"a,".repeat(before)}text/plain;escaping=dots`;

  test("a list of more than 32 clauses counts as not there", async () => {
    for (const [before, encoding, escaping] of [
      [31, "gzip", "dots"],
      [32, undefined, "underscores"],
    ] as const) {
      const reply = await serve("", {
        accept: accept(before),
        "accept-encoding": clauses(before),
      });
      expect(fieldOf(reply, "content-encoding")).toBe(encoding);
      expect(fieldOf(reply, "content-type")).toEndWith(`escaping=${escaping}`);
    }
  });

  test("the parts of a clause after the 16th do not count", async () => {
    const gzip = (parts: number) => ({ "accept-encoding": `gzip${";a".repeat(parts)};q=0` });
    expect(fieldOf(await serve("", gzip(14)), "content-encoding")).toBeUndefined();
    expect(fieldOf(await serve("", gzip(15)), "content-encoding")).toBe("gzip");
  });

  test("a query of more than 256 parameters gets status 400", async () => {
    expect((await serve(`?name[]=b${"&name[]=a".repeat(255)}`)).head.status).toBe(200);
    expect((await serve(`?name[]=b${"&name[]=a".repeat(256)}`)).head.status).toBe(400);
  });
});

describe("over a socket", () => {
  let server: HttpFrontend;
  beforeAll(() => {
    server = openPort((request, exchange) => {
      replyWith(exchange, servePrometheus(SOURCE, request));
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(["GET", "OPTIONS", "POST", "HEAD"])(
    "%s gets the figures, and no other site may",
    async (method) => {
      const response = await fetch(server.url, {
        method,
        headers: { "accept-encoding": "identity" },
      });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(method === "HEAD" ? "" : "everything\n");
      const { date: _, ...headers } = Object.fromEntries(response.headers);
      expect(headers).toEqual({ "content-length": "11", "content-type": vector.content_type });
      expect(server.bugs).toEqual([]);
    },
  );

  test("gzip is declared and unpacks", async () => {
    const response = await fetch(server.url, { headers: { "accept-encoding": "gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(await response.text()).toBe("everything\n");
  });

  test("nothing selected is an empty body", async () => {
    const response = await fetch(`${server.url}?name[]=none`, {
      headers: { "accept-encoding": "" },
    });
    expect(response.headers.get("content-length")).toBe("0");
    expect(response.headers.get("content-type")).toBe(vector.content_type);
  });
});

test("figures that can't be had now are no empty page", async () => {
  const nothing = { exposition: () => Promise.resolve(undefined) };
  expect((await servePrometheus(nothing, aRequest({ target: PATH }))).head.status).toBe(503);
});

test.each([
  ["a core that gives no page", true, undefined],
  ["no core", false, "core_connected"],
] as const)("a frontend with %s", async (_, connected, shown) => {
  const figures = new RemoteFigures({ connected, page: async () => ({ kind: "unavailable" }) });
  const text = await figures.exposition();
  figures.close();
  if (shown === undefined) expect(text).toBeUndefined();
  else expect(text).toContain(shown);
});
