import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serveMetricsFile } from "../../../src/frontend/http/metrics-route.ts";
import { replyWith } from "../../../src/frontend/http/routes.ts";
import type { BodySource } from "../../../src/http/message.ts";
import { type HttpFrontend, openPort } from "../../kit/http-frontend.ts";
import { aRequest } from "../../kit/requests.ts";

const CORS = {
  "access-control-allow-headers": "Origin, X-Session-ID",
  "access-control-allow-origin": "*",
};
const CORS_TEXT = { ...CORS, "content-type": "text/plain; charset=utf-8" };

const MB = 1_000_000;

let folder: string;
let path: string;
let server: HttpFrontend;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-route-"));
  path = join(folder, "metrics.log");
  server = serve(path);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  expect(server.bugs).toEqual([]);
});

function serve(file: string | undefined): HttpFrontend {
  return openPort((request, exchange) => replyWith(exchange, serveMetricsFile(request, file)));
}

/** What a peer gets, without the date. */
async function get(headers: Record<string, string> = {}, method = "GET") {
  const response = await fetch(`${server.url}metrics`, { method, headers });
  response.headers.delete("date");
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

/** How many descriptors of this process are of the file. */
function openDescriptors(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}

/** The most memory that a process ever had, in bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("not within 5 s");
    await Bun.sleep(1);
  }
}

describe("nothing to send", () => {
  const NOT_FOUND = {
    status: 404,
    headers: { ...CORS_TEXT, "x-content-type-options": "nosniff", "content-length": "19" },
    body: "404 page not found\n",
  };

  test("without a file", async () => {
    await using other = new AsyncDisposableStack();
    const configured = server;
    server = serve(undefined);
    other.use(configured);
    expect(await get()).toEqual(NOT_FOUND);
  });

  test("a file that is not there", async () => {
    expect(await get()).toEqual(NOT_FOUND);
  });

  const EMPTY = { status: 200, headers: { ...CORS_TEXT, "content-length": "0" }, body: "" };

  test("a folder", async () => {
    await mkdir(path);
    expect(await get()).toEqual(EMPTY);
    await until(() => openDescriptors() === 0);
  });

  test("a pipe that nobody writes to", async () => {
    expect(await Bun.spawn(["mkfifo", path]).exited).toBe(0);
    expect(await get()).toEqual(EMPTY);
    await until(() => openDescriptors() === 0);
  });

  test.each(["GET", "HEAD", "POST"])("before the first report, to %s", async (method) => {
    await writeFile(path, "");
    // As with Go, the reply to HEAD says nothing of the length of nothing.
    const { "content-length": _, ...headers } = EMPTY.headers;
    expect(await get({}, method)).toEqual(method === "HEAD" ? { ...EMPTY, headers } : EMPTY);
  });
});

describe("the whole file", () => {
  const WHOLE = {
    status: 200,
    headers: { ...CORS_TEXT, "content-length": "10" },
    body: "0123456789",
  };

  test.each([
    ["GET", {}],
    ["POST", {}],
    ["INVENTED", {}],
    ["POST", { Range: "bytes=1-2" }],
    ["GET", { Range: "bytes=1-2,4-5" }],
    ["GET", { Range: "bytes=2-1" }],
    ["GET", { Range: "lines=1-2" }],
    ["GET", { Range: "bytes=1-2", "If-Range": '"x"' }],
    ["GET", { Range: "bytes=1-2", "If-Range": "Sat, 01 Aug 2026 12:00:00 GMT" }],
  ])("to %s with %j", async (method, headers) => {
    await writeFile(path, "0123456789");
    expect(await get(headers, method)).toEqual(WHOLE);
    await until(() => openDescriptors() === 0);
  });

  test.each([{}, { Range: "bytes=1-2" }, { Range: "bytes=10-" }])(
    "HEAD with %j",
    async (headers) => {
      await writeFile(path, "0123456789");
      expect(await get(headers, "HEAD")).toEqual({
        status: 200,
        headers: { ...CORS_TEXT, "content-length": "10" },
        body: "",
      });
      await until(() => openDescriptors() === 0);
    },
  );

  test("is what is there at each request", async () => {
    await writeFile(path, "one\n");
    expect((await get()).body).toBe("one\n");
    await appendFile(path, "two\n");
    expect((await get()).body).toBe("one\ntwo\n");
    await rename(path, join(folder, "rotated"));
    expect((await get()).status).toBe(404);
    await writeFile(path, "three\n");
    expect((await get()).body).toBe("three\n");
  });
});

describe("a range", () => {
  test.each([
    ["bytes=2-4", "bytes 2-4/10", "234"],
    ["bytes=8-", "bytes 8-9/10", "89"],
    ["bytes=0-", "bytes 0-9/10", "0123456789"],
    ["bytes=-3", "bytes 7-9/10", "789"],
    ["bytes=-99", "bytes 0-9/10", "0123456789"],
  ])("%s", async (range, contentRange, body) => {
    await writeFile(path, "0123456789");
    expect(await get({ Range: range })).toEqual({
      status: 206,
      headers: {
        ...CORS_TEXT,
        "accept-ranges": "bytes",
        "content-length": String(body.length),
        "content-range": contentRange,
      },
      body,
    });
    await until(() => openDescriptors() === 0);
  });

  test("that is not in the file", async () => {
    await writeFile(path, "0123456789");
    expect(await get({ Range: "bytes=10-" })).toEqual({
      status: 416,
      headers: {
        ...CORS,
        "accept-ranges": "bytes",
        "content-length": "0",
        "content-range": "bytes */10",
      },
      body: "",
    });
    await until(() => openDescriptors() === 0);
  });
});

describe("a large file", () => {
  /** A file of zeros that takes no room on disk. */
  async function createLargeFile(megabytes: number): Promise<void> {
    await writeFile(path, "");
    await truncate(path, megabytes * MB);
  }

  /** A client that does `then` when it has the first bytes, and reads no further until that is done. */
  async function readAfter(then: () => Promise<void>) {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    let length = 0;
    let head = "";
    const first = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    socket.on("data", (bytes) => {
      length += bytes.length;
      head ||= bytes.toString("latin1");
      if (length === bytes.length) {
        socket.pause();
        first.resolve();
      }
    });
    // A reset is one way to break off.
    socket.on("error", () => {});
    socket.on("close", () => closed.resolve());
    socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await first.promise;
    await then();
    socket.resume();
    await closed.promise;
    expect(head).toStartWith("HTTP/1.1 200 OK\r\n");
    const declared = Number(/\r\nContent-Length: (\d+)\r\n/.exec(head)?.[1]);
    return { length, complete: length === head.indexOf("\r\n\r\n") + 4 + declared };
  }

  test("is not read into memory", async () => {
    await createLargeFile(200);
    // The memory of this process is the client's, too.
    const other = Bun.spawn([process.execPath, `${import.meta.dir}/metrics-server.ts`, path], {
      stdout: "pipe",
      stderr: "inherit",
    });
    try {
      const { value } = await other.stdout.getReader().read();
      const before = await peakMemory(other.pid);
      let length = 0;
      const response = await fetch(new TextDecoder().decode(value));
      for await (const piece of response.body ?? []) length += piece.length;
      expect(length).toBe(200 * MB);
      expect((await peakMemory(other.pid)) - before).toBeLessThan(100 * MB);
    } finally {
      other.kill();
      await other.exited;
    }
  });

  test("is closed when the peer has gone", async () => {
    await createLargeFile(50);
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    const first = Promise.withResolvers<void>();
    socket.once("data", () => first.resolve());
    socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    await first.promise;
    socket.pause();
    expect(openDescriptors()).toBe(1);
    socket.destroy();
    await until(() => openDescriptors() === 0);
  });

  test("that grows is sent as long as it was", async () => {
    await createLargeFile(20);
    const { length, complete } = await readAfter(() => truncate(path, 40 * MB));
    expect(complete).toBe(true);
    expect(length).toBeGreaterThan(20 * MB);
    expect(length).toBeLessThan(21 * MB);
    await until(() => openDescriptors() === 0);
  });

  test("that becomes shorter breaks the connection off", async () => {
    await createLargeFile(100);
    const { length, complete } = await readAfter(() => truncate(path, 10));
    expect(complete).toBe(false);
    expect(length).toBeLessThan(100 * MB);
    await until(() => openDescriptors() === 0);
  });

  test("that becomes shorter within a range breaks it off too", async () => {
    await createLargeFile(10);
    const source = await sourceOf({ range: "bytes=100-" });
    expect((await source.read()).length).toBeGreaterThan(0);
    await truncate(path, 10);
    expect(await source.read().catch(String)).toBe("Error: the file has become shorter");
    source.close();
    await until(() => openDescriptors() === 0);
  });

  async function sourceOf(fields: Readonly<Record<string, string>>): Promise<BodySource> {
    const { body } = await serveMetricsFile(aRequest({ fields }), path);
    if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
      throw new Error("not the file");
    }
    return body;
  }

  test("is closed when its peer hangs up", async () => {
    await createLargeFile(10);
    const socket = connect(server.port, "127.0.0.1");
    socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => openDescriptors() === 1);
    socket.destroy();
    await until(() => openDescriptors() === 0);
  });
});
