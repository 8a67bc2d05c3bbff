/** Files that an operator has named and that are something else: nothing waits for the other end of a pipe. */

import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { brokerCommand, runBroker } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";

test.each([
  ["--bridge-list-path", ["--disable-tls"]],
  ["--poll-interval-filepath", ["--disable-tls"]],
  ["--metrics-log", ["--disable-tls"]],
  ["--geoipdb", ["--disable-tls", "--geoip6db=/dev/null"]],
  ["--cert", ["--key=/nonexistent"]],
] as const)("a pipe as %s ends the start with a reason", async (flag, others) => {
  const folder = mkdtempSync(join(tmpdir(), "snowflake-pipe-"));
  try {
    const pipe = join(folder, "pipe");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    const { exitCode, stderr } = await runBroker(
      `${flag}=${pipe}`,
      "--addr=127.0.0.1:0",
      ...others,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain(pipe);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a log below /dev has no state beside it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "snowflake-stdout-"));
  try {
    // The runtime's own pipes are sockets, which can't be opened by this name; a file can.
    const command = brokerCommand(
      "--disable-tls",
      "--disable-geoip",
      `--addr=127.0.0.1:${freePort()}`,
      "--metrics-log=/dev/stdout",
    );
    const script = `exec "$@" >'${join(folder, "out")}'`;
    const shell = Bun.spawn(["sh", "-c", script, "sh", ...command], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 10_000,
    });
    let log = "";
    for await (const text of shell.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      if (log.includes("listening on")) shell.kill();
    }
    expect(log).toContain("do not survive a restart");
    expect(existsSync("/dev/stdout.state")).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
