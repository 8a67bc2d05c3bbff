import { expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { readRegularFile } from "../../src/system/named-file.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { runBroker } from "../kit/broker-process.ts";

const LARGEST = 16 * 1024 * 1024;

test("a file is read whole, up to 16 MiB; a larger one is refused with what to do", () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "file");
  const content = Buffer.from("0123456789".repeat(20_000));
  writeFileSync(path, content);
  expect(readRegularFile(path).equals(content)).toBe(true);
  writeFileSync(path, "");
  expect(readRegularFile(path).length).toBe(0);
  truncateSync(path, LARGEST);
  expect(readRegularFile(path).length).toBe(LARGEST);
  truncateSync(path, LARGEST + 1);
  expect(() => readRegularFile(path)).toThrow("it is larger than 16 MiB: name another file");
});

test("a file whose size is not on disk is read whole", () => {
  expect(readRegularFile("/proc/self/status").toString()).toContain("VmRSS:");
});

test.each([
  ["--bridge-list-path", ["--disable-tls"]],
  ["--poll-interval-filepath", ["--disable-tls"]],
  ["--cert", ["--key=/nonexistent"]],
] as const)("a huge file as %s ends the start with a reason", async (flag, others) => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "file");
  writeFileSync(path, "");
  truncateSync(path, 100 * LARGEST);
  const { exitCode, stderr } = await runBroker(
    `${flag}=${path}`,
    "--disable-geoip",
    "--addr=127.0.0.1:0",
    ...others,
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain(path);
  expect(stderr).toContain("it is larger than 16 MiB: name another file");
});
