/** What a start that fails says: the flag or the file, what is wrong, and what to do. */

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { runBroker } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";

const PLAIN = ["--disable-tls", "--disable-geoip"];
const FREE = "--addr=127.0.0.1:0";
const CLUSTER = [...PLAIN, FREE, "--cluster=nats://127.0.0.1"];

test.each([
  [["frobnicate"], 2, '"frobnicate" is no command and no flag: the commands are core,'],
  [["--adr=:80"], 2, 'unknown flag "--adr": did you mean --addr?'],
  [
    [...PLAIN, FREE, "--metrics-log=/nope/x"],
    1,
    "--metrics-log /nope/x: there is no such directory: make it",
  ],
  [
    [...PLAIN, FREE, `--metrics-log=${tmpdir()}`],
    1,
    `--metrics-log ${tmpdir()}: it is a directory: name a file in it`,
  ],
  [
    [...PLAIN, FREE, "--ip-count-prefix=/nope/x"],
    1,
    "--ip-count-prefix /nope/x: there is no such directory: make it",
  ],
  [
    [...PLAIN, FREE, "--bridge-list-path=/nope/x"],
    1,
    "--bridge-list-path /nope/x: there is no such file",
  ],
  [
    [...PLAIN, FREE, "--poll-interval-filepath=/nope/x"],
    1,
    "--poll-interval-filepath /nope/x: there is no such file",
  ],
  [
    ["--disable-tls", FREE, "--geoipdb=/nope/x"],
    1,
    "country files: /nope/x: there is no such file",
  ],
  [[...CLUSTER, "--cluster-secret=/nope/x"], 1, "--cluster-secret /nope/x: there is no such file"],
  [
    [...CLUSTER, "--cluster-secret=/dev/null"],
    1,
    "--cluster-secret /dev/null: it is not a regular file",
  ],
  [
    [...CLUSTER, "--cluster-secret=.npmrc", "--cluster-credentials=README.md"],
    1,
    "--cluster-credentials README.md: it must be a .creds file of NATS, or one line USER:PASSWORD",
  ],
  [["--cert=/nope/x", "--key=/nope/y", FREE], 1, "--cert /nope/x: there is no such file"],
  [
    ["core", "--socket=/nope/x", "--disable-geoip"],
    1,
    "cannot listen on /nope/x: there is no such directory: make it",
  ],
])("%p", async (args, exitCode, words) => {
  const run = await runBroker(...args);
  expect(run.stderr).toContain(words);
  expect(run.exitCode).toBe(exitCode);
});

test("a secret that is too short is said to be, with what makes a longer one", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "cluster.key");
  writeFileSync(path, "  swordfish\n");
  const run = await runBroker(...CLUSTER, `--cluster-secret=${path}`);
  expect(run.stderr).toContain(
    `--cluster-secret ${path}: it has 9 characters and needs 32: head -c 32 /dev/urandom | base64`,
  );
  expect(run.stderr).not.toContain("swordfish");
  expect(run.exitCode).toBe(1);
});

test("a port that is taken is said to be, with who has it", async () => {
  const port = freePort();
  using listener = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  const run = await runBroker(...PLAIN, `--addr=127.0.0.1:${listener.port}`);
  expect(run.stderr).toContain(`port ${port} is in use by process ${process.pid} `);
  expect(run.exitCode).toBe(1);
});
