/** A broker that is started in a folder with files for the runtime in it, which somebody else may have put there. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "../kit/free-port.ts";

const LAUNCHER = join(import.meta.dir, "../../bin/snowflake-broker.js");

/** How long a broker may take to start, in ms. */
const START_TIMEOUT = 10_000;

const folder = mkdtempSync(join(tmpdir(), "snowflake-foreign-"));

beforeAll(() => {
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./foreign.ts"]\n');
  writeFileSync(join(folder, "foreign.ts"), 'console.error("FOREIGN CODE");\n');
  writeFileSync(join(folder, ".env"), "RUNTIME_DIRECTORY=/nonexistent\n");
  const paths = { "prom-client": ["./foreign.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { paths } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["the version", ["--version"], "snowflake-broker 0"],
  [
    "workers",
    ["--disable-tls", `--addr=127.0.0.1:${freePort()}`, "--disable-geoip", "--workers=1"],
    "core with 1 http-frontends",
  ],
])("%s: nothing of it takes effect", async (_, args, expected) => {
  const broker = Bun.spawn(["node", LAUNCHER, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: START_TIMEOUT,
  });
  const output = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let text = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("listening on")) broker.kill();
    }
    return text;
  };
  const texts = await Promise.all([output(broker.stdout), output(broker.stderr)]);
  await broker.exited;
  expect(texts.join("")).toContain(expected);
  expect(texts.join("")).not.toContain("FOREIGN");
});
