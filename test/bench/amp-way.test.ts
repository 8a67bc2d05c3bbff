import { expect, test } from "bun:test";

import { AmpWay } from "../../bench/amp-way.ts";
import { BadReply } from "../../bench/messages.ts";
import { decodeAmpPath } from "../../src/frontend/ampcache/amp-path.ts";
import { encodeAmpArmor } from "../../src/frontend/ampcache/armor.ts";

/** Replies to everything with one page. */
function serve(page: string) {
  const paths: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      paths.push(`${request.method} ${new URL(request.url).pathname}`);
      return new Response(page, { headers: { "Content-Type": "text/html" } });
    },
  });
  const way = new AmpWay(server.port ?? 0);
  const stop = () => {
    way.close();
    void server.stop(true);
  };
  return { way, paths, [Symbol.dispose]: stop };
}

test("the message is in the path, which is another each time", async () => {
  using cache = serve(encodeAmpArmor("{}"));
  const message = '1.0\n{"offer":"???>>>"}';
  await cache.way.exchange(message);
  await cache.way.exchange(message);
  const [first = "", second = ""] = cache.paths;
  expect(first).not.toBe(second);
  for (const path of cache.paths) {
    expect(path).toStartWith("GET /amp/client/0");
    const decoded = decodeAmpPath(path.slice("GET /amp/client/".length));
    expect(decoded.ok && Buffer.from(decoded.message).toString()).toBe(message);
  }
});

test.each([
  ["an empty one", ""],
  ["a usual one", '{"answer":"ä"}'],
  ["one of several elements", "x".repeat(60_000)],
])("the response is what the page armors: %s", async (_, response) => {
  using cache = serve(encodeAmpArmor(response));
  expect(await cache.way.exchange("m")).toBe(response);
});

test.each([
  ["the bare response", '{"answer":"x"}'],
  ["a page without armor", "<!doctype html>\n<html amp></html>"],
  ["another version", "<pre>\n1e30=\n</pre>"],
  ["what is not base64", "<pre>\n0e30\n</pre>"],
  ["what is not UTF-8", `<pre>\n0${Buffer.from([0xff]).toString("base64")}\n</pre>`],
])("%s is a bad reply", async (_, page) => {
  using cache = serve(page);
  let thrown: unknown;
  try {
    await cache.way.exchange("m");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(BadReply);
  expect(String(thrown)).toContain("/amp/client: no armored response");
});
