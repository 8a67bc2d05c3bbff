/** A log that can't be written must not end or stop the broker. */

import { expect, test } from "bun:test";

import { MAIN, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";

test.each([
  ["standard error on a full disk", "2>/dev/full"],
  ["both outputs on a full disk", ">/dev/full 2>&1"],
  ["a reader that is gone", "2>&1 | true"],
  ["a reader that does not read", "2>&1 | sleep 20"],
])("%s: the broker serves", async (_, redirection) => {
  const port = freePort();
  const script = `echo $$; "$0" "$1" --disable-tls --disable-geoip --addr=127.0.0.1:${port} ${redirection}`;
  const shell = Bun.spawn(["setsid", "sh", "-c", script, process.execPath, MAIN], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    await untilHolds("served", async () => {
      try {
        return (await fetch(`http://127.0.0.1:${port}/robots.txt`)).ok;
      } catch {
        return false;
      }
    });
    expect((await fetch(`http://127.0.0.1:${port}/debug`)).status).toBe(200);
  } finally {
    process.kill(-shell.pid, "SIGKILL");
    await shell.exited;
  }
});
