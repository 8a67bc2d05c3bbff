/** SQS behind a proxy of the operator's own, and a proxy that answers in its place. */

import { expect, test } from "bun:test";

import { failureText } from "../../../src/frontend/sqs/failure.ts";
import { openSqs } from "../../../src/frontend/sqs/sqs-client.ts";
import { AwsEnvironment } from "./aws-environment.ts";
import { FauxqsProcess } from "./fauxqs-process.ts";
import { LogLines } from "./log-lines.ts";

const ACCOUNT = { profile: undefined, region: "eu-central-1" };

/** Sets variables of this process, as the broker has them from whoever starts it, until it is disposed of. */
function withEnvironment(variables: Readonly<Record<string, string>>): Disposable {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
}

test("calls go through the proxy that HTTP_PROXY names", async () => {
  await using fauxqs = await FauxqsProcess.start();
  // A name that leads nowhere: only the proxy knows where it is.
  using environment = new DisposableStack();
  environment.use(new AwsEnvironment("http://sqs.invalid"));
  let forwarded = 0;
  using proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      forwarded++;
      const { pathname } = new URL(request.url);
      return fetch(fauxqs.endpoint + pathname, {
        method: request.method,
        headers: request.headers,
        body: request.body,
      });
    },
  });
  // The proxy itself asks its neighbour directly.
  environment.use(
    withEnvironment({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: "127.0.0.1" }),
  );
  const { api } = await openSqs(ACCOUNT, new LogLines().logger);
  expect(await api.createQueue("behind-a-proxy")).toContain("behind-a-proxy");
  api.close();
  expect(forwarded).toBe(1);
});

test("an answer that is none of the service's is told by its status", async () => {
  using page = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("<html>busy</html>", { status: 503 }),
  });
  using _ = new AwsEnvironment(`http://127.0.0.1:${page.port}`);
  const { api } = await openSqs(ACCOUNT, new LogLines().logger);
  const failure: unknown = await api.createQueue("q").catch((error: unknown) => error);
  api.close();
  expect(failureText(failure)).toBe("status 503 without an error of SQS");
});
