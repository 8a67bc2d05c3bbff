/** A log that can't be written must not end or stop the broker. */

import { expect, test } from "bun:test";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { MAIN, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";

/** Fills a pipe of Linux to the last byte. */
const FILL = "head -c 65536 /dev/zero";

test.each([
  ["standard error on a full disk", "broker 2>/dev/full"],
  ["both outputs on a full disk", "broker >/dev/full 2>&1"],
  ["both outputs closed", "broker >&- 2>&-"],
  ["a reader that is gone", "broker 2>&1 | true"],
  ["a reader that does not read", "broker 2>&1 | sleep 20"],
  ["both outputs in a pipe that is full", `{ ${FILL}; broker 2>&1; } | sleep 20`],
  [
    "the report in a pipe that is full",
    `{ ${FILL}; broker --metrics-log=/dev/stdout; } | sleep 20`,
  ],
  ["a limit of file size", "ulimit -f 0; broker --metrics-log=metrics.log >log 2>&1"],
])("%s: the broker matches", async (_, script) => {
  using directory = temporaryDirectory();
  const port = freePort();
  const broker = `broker() { "$BUN" "$MAIN" --disable-tls --disable-geoip --addr=127.0.0.1:${port} "$@"; }`;
  const shell = Bun.spawn(["setsid", "sh", "-c", `${broker}; ${script}`], {
    cwd: directory.path,
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, BUN: process.execPath, MAIN },
  });
  const url = `http://127.0.0.1:${port}/`;
  const post = async (path: string, body: string) =>
    (await fetch(url + path, { method: "POST", body })).text();
  try {
    await untilHolds("served", async () => {
      try {
        return (await fetch(`${url}robots.txt`)).ok;
      } catch {
        return false;
      }
    });
    const polled = post(
      "proxy",
      '{"Sid":"s","Version":"1.3","NAT":"open","AcceptedRelayPattern":"$"}',
    );
    await untilHolds("waiting", async () =>
      (await (await fetch(`${url}debug`)).text()).startsWith("current snowflakes available: 1\n"),
    );
    const offered = post("client", `1.0\n{"offer":"{\\"type\\":\\"offer\\",\\"sdp\\":\\"o\\"}"}`);
    expect(await polled).toContain("client match");
    await post(
      "answer",
      '{"Version":"1.3","Sid":"s","Answer":"{\\"type\\":\\"answer\\",\\"sdp\\":\\"a=candidate\\"}"}',
    );
    expect(await offered).toStartWith(`{"answer":`);
  } finally {
    process.kill(-shell.pid, "SIGKILL");
    await shell.exited;
  }
});
