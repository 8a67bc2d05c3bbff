/** HTTP/2 with clients that others wrote, over TLS. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import http2 from "node:http2";
import { join } from "node:path";

import type { Exchange } from "../../../src/http/message.ts";
import { untilHolds } from "../../kit/broker-process.ts";
import { describeWithPrograms } from "../../tls/programs.ts";
import { echo, ECHO_FIELDS, LONG } from "./echo.ts";
import { startTlsListener, type TlsListener } from "./tls-listener.ts";

let listener: TlsListener;
let waiting: Exchange[];
beforeEach(() => {
  waiting = [];
  listener = startTlsListener(
    echo((exchange) => waiting.push(exchange)),
    ECHO_FIELDS,
  );
});
afterEach(() => {
  expect(listener.bugs).toEqual([]);
  listener[Symbol.dispose]();
});

async function run(
  ...command: string[]
): Promise<{ readonly output: string; readonly code: number }> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, error, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { output: out + error, code };
}

describeWithPrograms("h2spec", ["h2spec"], () => {
  test("all cases of the strict suite pass", async () => {
    const port = String(listener.port);
    const { output } = await run("h2spec", "--strict", "-t", "-k", "-h", "127.0.0.1", "-p", port);
    expect(output.trim().split("\n").at(-1)).toMatch(
      /^(\d+) tests, \1 passed, 0 skipped, 0 failed$/,
    );
  });
});

describeWithPrograms("curl", ["curl"], () => {
  const get = (path: string, ...flags: string[]) =>
    run(
      "curl",
      "--silent",
      "--insecure",
      "--http2",
      "--max-time",
      "10",
      ...flags,
      listener.url + path,
    );

  test("a POST, a long reply, HEAD", async () => {
    expect(await get("echo", "--data", "hello", "--write-out", " %{http_version}")).toEqual({
      output: "hello 2",
      code: 0,
    });
    expect((await get("long")).output).toHaveLength(LONG);
    expect((await get("long", "--head")).output.toLowerCase()).toContain(`content-length: ${LONG}`);
  });
});

describeWithPrograms("nghttp", ["nghttp"], () => {
  test.each([
    ["an empty table", ["--header-table-size=0"]],
    ["narrow windows", ["--window-bits=10", "--connection-window-bits=10"]],
    ["padding and CONTINUATION", ["--padding=200", "--continuation"]],
    ["many at once", ["--multiply=100"]],
    [
      "many at once with narrow windows",
      ["--multiply=10", "--window-bits=10", "--connection-window-bits=10"],
    ],
  ])("%s", async (_, flags) => {
    const { output, code } = await run(
      "nghttp",
      "--null-out",
      "--stat",
      ...flags,
      `${listener.url}long`,
    );
    expect(code).toBe(0);
    const requests = output.match(/ 200 .*\/long/g);
    const [, times = "1"] = /--multiply=(\d+)/.exec(flags.join(" ")) ?? [];
    expect(requests).toHaveLength(Number(times));
    expect(listener.struck).toEqual([]);
  });
});

describeWithPrograms("h2load", ["h2load"], () => {
  test.each([
    ["100 at once", ["-n20000", "-c4", "-m100"]],
    ["more at once than allowed", ["-n5000", "-c2", "-m400"]],
    ["a narrow window", ["-n2000", "-c2", "-m10", "-w4", "-W4"]],
  ])("%s", async (_, flags) => {
    const { output } = await run("h2load", ...flags, `${listener.url}echo`);
    const total = flags[0]?.slice(2);
    expect(output).toContain(`${total} succeeded, 0 failed, 0 errored, 0 timeout`);
    expect(listener.struck).toEqual([]);
  });
});

describeWithPrograms("go", ["go"], () => {
  test("net/http: many bodies at once, fields, a long reply, a reset", async () => {
    const { output } = await run("go", "run", join(import.meta.dir, "go-client.go"), listener.url);
    expect(output).toBe("ok\n");
    // The client ends as soon as it has sent its reset.
    await untilHolds("reset", async () => waiting.some(({ aborted }) => aborted));
    expect(waiting).toHaveLength(1);
    expect(listener.struck).toEqual(["body-size"]);
  }, 120_000);
});

test("the runtime's fetch: bodies of many lengths at once", async () => {
  const lengths = [0, 1, 1500, 16_384, 16_385, 99_999, 100_000];
  const replies = await Promise.all(
    [...lengths, ...lengths].map(async (length) => {
      const body = Buffer.alloc(length, "f");
      const init = { method: "POST", body, protocol: "http2", tls: { rejectUnauthorized: false } };
      const response = await fetch(`${listener.url}echo`, init);
      return (await response.arrayBuffer()).byteLength;
    }),
  );
  expect(replies).toEqual([...lengths, ...lengths]);
});

test("node:http2: a request, one that is given up, and a connection that is", async () => {
  const session = http2.connect(listener.url, { rejectUnauthorized: false });
  const ask = (path: string, body: string) => {
    const stream = session.request({ ":path": path, ":method": "POST" });
    stream.on("error", () => {});
    stream.end(body);
    return stream;
  };
  const text = async (stream: http2.ClientHttp2Stream) => {
    let all = "";
    for await (const piece of stream.setEncoding("utf8")) all += String(piece);
    return all;
  };
  expect(await text(ask("/echo", "hello"))).toBe("hello");
  const aborts: string[] = [];
  const givenUp = ask("/wait", "");
  await until(() => waiting.length === 1);
  waiting[0]?.addEventListener("abort", () => aborts.push("stream"));
  givenUp.close(http2.constants.NGHTTP2_CANCEL);
  await until(() => aborts.length === 1);
  ask("/wait", "");
  await until(() => waiting.length === 2);
  waiting[1]?.addEventListener("abort", () => aborts.push("connection"));
  session.destroy();
  await until(() => aborts.length === 2);
  expect(aborts).toEqual(["stream", "connection"]);
});

/** Waits until it is so, for at most as long as a test may take. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5);
}
