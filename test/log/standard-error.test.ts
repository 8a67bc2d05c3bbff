/** The log when its reader has stopped, as a service manager may: with a pipe and with a socket of real processes. */

import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { untilHolds } from "../kit/broker-process.ts";

/** About 3 MB: more than waits. */
const LINES = 30_000;

const FLOOD = join(import.meta.dir, "log-flood.ts");

/** Begins when there is a file `go`. */
const WRITER = `echo $$ >flood; until [ -e go ]; do sleep 0.01; done; exec "$BUN" "$FLOOD" "$LINES"`;

/** Stops itself, and when it is continued writes what the flood logs to `log`. */
const SOCKET_READER = `
  const flood = Bun.spawn(["sh", "-c", process.env.WRITER], {
    stdio: ["ignore", Bun.file("said"), "pipe"],
  });
  await Bun.write("reader", String(process.pid));
  process.kill(process.pid, "SIGSTOP");
  const { appendFileSync } = require("node:fs");
  for await (const bytes of flood.stderr) appendFileSync("log", bytes);`;

const PIPE = `sh -c "$WRITER" 2>&1 >said | sh -c 'echo $$ >reader; kill -STOP $$; exec cat >log'`;

/** Whether the process of this id is stopped by a signal. */
function isStopped(pid: string): boolean {
  if (pid === "") return false;
  return / T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

test.each([
  ["a pipe", ["sh", "-c", PIPE]],
  ["a socket", [process.execPath, "-e", SOCKET_READER]],
] as const)(
  "%s whose reader has stopped: nothing waits, and the loss is told",
  async (_, command) => {
    using directory = temporaryDirectory();
    const file = (name: string) => join(directory.path, name);
    const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : "");
    const shell = Bun.spawn(["setsid", ...command], {
      cwd: directory.path,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, BUN: process.execPath, FLOOD, LINES: String(LINES), WRITER },
    });
    try {
      await untilHolds("stopped", () => Promise.resolve(isStopped(read("reader").trim())));
      writeFileSync(file("go"), "");
      // It says so while nobody reads.
      await untilHolds("logged everything", () => Promise.resolve(read("said").endsWith("\n")));
      expect(Number(read("said"))).toBeLessThan(5_000);
      process.kill(Number(read("reader")), "SIGCONT");
      // It says so by itself, as soon as it can.
      await untilHolds("told the loss", () => Promise.resolve(/lost lines=.*\n/.test(read("log"))));
      process.kill(Number(read("flood")), "SIGTERM");
      await shell.exited;

      const lines = read("log").split("\n");
      expect(lines.pop()).toBe("");
      const kept = lines.filter((line) => line.includes(" line "));
      kept.forEach((line, i) => {
        expect(line).toBe(`1970/01/01 00:00:00 line ${i} filler=${"x".repeat(60)}`);
      });
      expect(kept.length).toBeGreaterThan((1024 * 1024) / 100);
      expect(lines.slice(kept.length)).toEqual([
        `1970/01/01 00:00:00 ERROR log lines were lost lines=${LINES - kept.length}`,
        "1970/01/01 00:00:00 last",
      ]);
    } finally {
      if (shell.exitCode === null) process.kill(-shell.pid, "SIGKILL");
      await shell.exited;
    }
  },
);
